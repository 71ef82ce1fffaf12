import { flag, parse, readDevice, readNumber, readPath, text } from "../command/arguments.ts";
import type { Settings } from "./training.ts";

/** What the command was asked for. */
export interface Options extends Settings {
  /** Pixels of the picture's side. */
  size: number;
  device: "auto" | "webgpu" | "cpu";
  /** The file with the picture and what the field makes of it. */
  picture: string;
  json: boolean;
  help: boolean;
}

export const HELP = `Trains a network to give the colour at each point of a picture, which a seed draws.

Usage: npm run field -- [options]

  --steps N           steps of Adam (800)
  --batch-size N      pixels in each step (1024)
  --learning-rate X   Adam's at the first step; it falls to 0 along a cosine (0.01)
  --size N            pixels of the picture's side (128)
  --frequencies N     waves drawn for the Fourier features (64)
  --scale X           their spread, in waves across the picture (6)
  --hidden N          units of each of the two hidden layers (128)
  --seed N            fixes the picture, the features and the run (0)
  --picture FILE      where the picture goes, beside it the field's (runs/field.png)
  --device NAME       auto, webgpu or cpu (auto: a real GPU, else the CPU)
  --json              one JSON object a line, every 100 steps and at the end
  --help              this text

The weights go to runs/field.safetensors. Ctrl-C stops and keeps what there is.`;

/** Reads the command line. */
export function readOptions(args: string[]): Options {
  const values = parse(args, {
    steps: text("800"),
    "batch-size": text("1024"),
    "learning-rate": text("0.01"),
    size: text("128"),
    frequencies: text("64"),
    scale: text("6"),
    hidden: text("128"),
    seed: text("0"),
    picture: text("runs/field.png"),
    device: text("auto"),
    json: flag,
    help: { ...flag, short: "h" },
  });
  const size = readNumber("size", values.size, [8, 1024]);
  return {
    steps: readNumber("steps", values.steps, [1, 1_000_000]),
    batchSize: readNumber("batch-size", values["batch-size"], [1, size * size]),
    learningRate: readNumber("learning-rate", values["learning-rate"], [0, 1000], false),
    size,
    frequencies: readNumber("frequencies", values.frequencies, [1, 4096]),
    scale: readNumber("scale", values.scale, [0, 1000], false),
    hidden: readNumber("hidden", values.hidden, [1, 4096]),
    seed: readNumber("seed", values.seed, [0, Number.MAX_SAFE_INTEGER]),
    picture: readPath("picture", values.picture),
    device: readDevice(values.device),
    json: values.json,
    help: values.help,
  };
}
