import {
  flag,
  parse,
  readChoice,
  readDevice,
  readNumber,
  readPath,
  text,
  UsageError,
} from "../command/arguments.ts";
import { NETWORKS, type NetworkKind } from "./network.ts";
import type { Settings } from "./training.ts";

/** What the command was asked for. */
export interface Options extends Settings {
  networks: readonly NetworkKind[];
  /** The folder with two folders of pictures; drawn ones when undefined. */
  data: string | undefined;
  /** Pixels of a side. */
  size: number;
  /** How many pictures of each kind are drawn. */
  count: number;
  device: "auto" | "webgpu" | "cpu";
  json: boolean;
  help: boolean;
}

export const HELP = `Trains a network to tell the pictures of one folder from those of another.

Usage: npm run folders -- [options]

  --data FOLDER       a folder with two folders of pictures, such as cats and dogs (heads that are
                      drawn by the seed)
  --network NAME      dense, convolutional or both (both)
  --epochs N          passes over four fifths of the pictures; the others are for measuring (12)
  --batch-size N      pictures in each step (50)
  --learning-rate X   Adam's at the first step; it falls to 0 along a cosine (0.001)
  --size N            pixels to which pictures are brought, a multiple of 8 (48)
  --count N           pictures of each kind that are drawn (1000)
  --seed N            fixes drawn pictures, the division and the run (0)
  --device NAME       auto, webgpu or cpu (auto: a real GPU, else the CPU)
  --json              one JSON object a line, after each epoch and at the end
  --help              this text

The weights go to runs/folders-NAME.safetensors. Ctrl-C stops and keeps what there is.`;

/** Reads the command line. */
export function readOptions(args: string[]): Options {
  const values = parse(args, {
    data: { type: "string" },
    network: text("both"),
    epochs: text("12"),
    "batch-size": text("50"),
    "learning-rate": text("0.001"),
    size: text("48"),
    count: text("1000"),
    seed: text("0"),
    device: text("auto"),
    json: flag,
    help: { ...flag, short: "h" },
  });
  const network = readChoice("network", values.network, [...NETWORKS, "both"]);
  const size = readNumber("size", values.size, [8, 512]);
  if (size % 8 !== 0) throw new UsageError(`--size: ${size}; expected a multiple of 8`);
  return {
    data: values.data === undefined ? undefined : readPath("data", values.data),
    networks: network === "both" ? NETWORKS : [network],
    epochs: readNumber("epochs", values.epochs, [1, 100_000]),
    batchSize: readNumber("batch-size", values["batch-size"], [2, 10_000]),
    learningRate: readNumber("learning-rate", values["learning-rate"], [0, 1000], false),
    size,
    count: readNumber("count", values.count, [10, 100_000]),
    seed: readNumber("seed", values.seed, [0, Number.MAX_SAFE_INTEGER]),
    device: readDevice(values.device),
    json: values.json,
    help: values.help,
  };
}
