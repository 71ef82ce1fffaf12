import { resolve } from "node:path";
import {
  flag,
  parse,
  readDevice,
  readNumber,
  readPath,
  shown,
  text,
  UsageError,
} from "../command/arguments.ts";

/** Where the weights go. */
export const WEIGHTS = "runs/mnist.safetensors";

/** What the command was asked for. */
export interface Options {
  epochs: number;
  batchSize: number;
  learningRate: number;
  hidden: number;
  seed: number;
  device: "auto" | "webgpu" | "cpu";
  /** The file that the run is saved in and resumed from. */
  checkpoint: string | undefined;
  resume: boolean;
  json: boolean;
  help: boolean;
}

export const HELP = `Trains the two-layer network 784-hidden-10 on MNIST.

Usage: npm start -- [options]

  --epochs N          passes over the 60,000 training images (5)
  --batch-size N      images in each step (100)
  --learning-rate X   step size of stochastic gradient descent (0.1)
  --hidden N          sigmoid units in the hidden layer (50)
  --seed N            fixes initial weights and order of the images (0)
  --device NAME       auto, webgpu or cpu (auto: a real GPU, else the CPU)
  --checkpoint FILE   saves the run there after each epoch, and when it is stopped
  --resume            goes on from --checkpoint, if it is there, with the options of that run
  --json              one JSON object a line, after each epoch and at the end
  --help              this text

The weights go to ${WEIGHTS}, those before to ${WEIGHTS}.previous.
Ctrl-C stops and keeps the weights so far.`;

/** Reads the command line. */
export function readOptions(args: string[]): Options {
  const values = parse(args, {
    epochs: text("5"),
    "batch-size": text("100"),
    "learning-rate": text("0.1"),
    hidden: text("50"),
    seed: text("0"),
    device: text("auto"),
    checkpoint: { type: "string" },
    resume: flag,
    json: flag,
    help: { ...flag, short: "h" },
  });
  return {
    epochs: readNumber("epochs", values.epochs, [1, 100_000]),
    batchSize: readNumber("batch-size", values["batch-size"], [1, 60_000]),
    learningRate: readNumber("learning-rate", values["learning-rate"], [0, 1000], false),
    hidden: readNumber("hidden", values.hidden, [1, 100_000]),
    seed: readNumber("seed", values.seed, [0, Number.MAX_SAFE_INTEGER]),
    device: readDevice(values.device),
    checkpoint: readCheckpoint(values.checkpoint, values.resume),
    resume: values.resume,
    json: values.json,
    help: values.help,
  };
}

function readCheckpoint(given: string | undefined, resume: boolean): string | undefined {
  if (given === undefined) {
    if (!resume) return undefined;
    throw new UsageError("--resume: without --checkpoint; expected the file to go on from");
  }
  const path = readPath("checkpoint", given);
  if (resolve(path) !== resolve(WEIGHTS)) return path;
  throw new UsageError(`--checkpoint: ${shown(path)}, where the weights go; expected another file`);
}
