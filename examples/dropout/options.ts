import { flag, parse, readDevice, readNumber, text } from "../command/arguments.ts";
import type { Settings } from "./training.ts";

/** Where the weights go. */
export const WEIGHTS = "runs/dropout.safetensors";

/** What the command was asked for. */
export interface Options extends Settings {
  device: "auto" | "webgpu" | "cpu";
  /** Epochs without a better one after which training stops; 0 for never. */
  patience: number;
  help: boolean;
}

export const HELP = `Trains 784-256-128-10 with relu and dropout on MNIST: Adam along a cosine, on 55,000
images, with 5,000 held out to watch the loss on. The test images are looked at once, at the end.

Usage: npm run dropout -- [options]

  --epochs N          passes over the 55,000 images (10)
  --batch-size N      images in each step (256)
  --learning-rate X   Adam's at the first step; it falls to 0 along a cosine (0.003)
  --dropout X         share of the hidden units that each step leaves out (0.3)
  --seed N            fixes weights, masks, order and which images are held out (0)
  --patience N        stops after N epochs in a row without a lower validation loss, and goes back to
                      the epoch with the lowest one (0: trains to the end and keeps the last)
  --device NAME       auto, webgpu or cpu (auto: a real GPU, else the CPU)
  --help              this text

The weights go to ${WEIGHTS}, those before to ${WEIGHTS}.previous.
Ctrl-C stops and keeps the weights so far.`;

/** Reads the command line. */
export function readOptions(args: string[]): Options {
  const values = parse(args, {
    epochs: text("10"),
    "batch-size": text("256"),
    "learning-rate": text("0.003"),
    dropout: text("0.3"),
    seed: text("0"),
    patience: text("0"),
    device: text("auto"),
    help: { ...flag, short: "h" },
  });
  return {
    epochs: readNumber("epochs", values.epochs, [1, 100_000]),
    batchSize: readNumber("batch-size", values["batch-size"], [1, 55_000]),
    learningRate: readNumber("learning-rate", values["learning-rate"], [0, 1000], false),
    dropout: readNumber("dropout", values.dropout, [0, 0.99], false),
    seed: readNumber("seed", values.seed, [0, Number.MAX_SAFE_INTEGER]),
    patience: readNumber("patience", values.patience, [0, 100_000]),
    device: readDevice(values.device),
    help: values.help,
  };
}
