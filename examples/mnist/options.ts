import { parseArgs } from "node:util";

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
  --resume            goes on from --checkpoint, where it has been saved; give the other options anew
  --json              one JSON object a line, after each epoch and at the end
  --help              this text

The weights go to runs/mnist.safetensors. Ctrl-C stops and keeps the weights so far.`;

/** Wrong arguments, told to the user in one line. */
export class UsageError extends Error {}

/** Reads the command line. */
export function readOptions(args: string[]): Options {
  const values = parse(args);
  const number = (name: keyof typeof values, low: number, high: number, whole = true): number => {
    const text = String(values[name]);
    const value = text.trim() === "" ? Number.NaN : Number(text);
    const fits = value >= low && value <= high && (!whole || Number.isInteger(value));
    if (fits) return value;
    const kind = whole ? "an integer" : "a number";
    throw new UsageError(`--${name}: ${text}; expected ${kind} from ${low} to ${high}`);
  };
  if (values.resume && values.checkpoint === undefined) {
    throw new UsageError("--resume: without --checkpoint; expected the file to go on from");
  }
  return {
    epochs: number("epochs", 1, 100_000),
    batchSize: number("batch-size", 1, 60_000),
    learningRate: number("learning-rate", 0, 1000, false),
    hidden: number("hidden", 1, 100_000),
    seed: number("seed", 0, Number.MAX_SAFE_INTEGER),
    device: device(String(values.device)),
    checkpoint: values.checkpoint,
    resume: Boolean(values.resume),
    json: Boolean(values.json),
    help: Boolean(values.help),
  };
}

function parse(args: string[]) {
  const text = (value: string) => ({ type: "string", default: value }) as const;
  try {
    return parseArgs({
      args,
      options: {
        epochs: text("5"),
        "batch-size": text("100"),
        "learning-rate": text("0.1"),
        hidden: text("50"),
        seed: text("0"),
        device: text("auto"),
        checkpoint: { type: "string" },
        resume: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.split(". ")[0]);
  }
}

function device(name: string): Options["device"] {
  if (name === "auto" || name === "webgpu" || name === "cpu") return name;
  throw new UsageError(`--device: ${name}; expected auto, webgpu or cpu`);
}
