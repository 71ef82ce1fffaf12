import {
  flag,
  parse,
  readDevice,
  readNumber,
  readPath,
  text,
  UsageError,
} from "../command/arguments.ts";
import type { Settings } from "./training.ts";

/** Where the weights go. */
export const WEIGHTS = "runs/gpt.safetensors";

/** What the command was asked for. */
export interface Options extends Settings {
  /** A file with the text; the backgrounds of The World Factbook when undefined. */
  data: string | undefined;
  device: "auto" | "webgpu" | "cpu";
  json: boolean;
  help: boolean;
}

export const HELP = `Trains a small GPT to tell the next character of a text, and has it write as it goes.

Usage: npm run gpt -- [options]

  --steps N           steps of AdamW (1000)
  --batch-size N      windows of text in each step (16)
  --context N         characters that the network sees at once (64)
  --layers N          blocks of attention and dense layers (4)
  --heads N           heads of each attention (4)
  --width N           features of each character, a multiple of twice the heads (128)
  --dropout X         share of features that each step leaves out (0)
  --learning-rate X   AdamW's, behind a warm-up; it falls to a tenth along a cosine (0.003)
  --weight-decay X    of weights, not of vectors, biases and norms (0.1)
  --every N           steps between two reports (100)
  --sample N          characters that it writes at each (200)
  --temperature X     how freely it writes: 0 takes the likeliest character (0.8)
  --seed N            fixes initial weights, order of the windows and samples (0)
  --data FILE         the text; the last tenth of it is not trained on (backgrounds of countries in The
                      World Factbook)
  --device NAME       auto, webgpu or cpu (auto: a real GPU, else the CPU)
  --json              one JSON object a line, at each report and at the end
  --help              this text

The weights go to ${WEIGHTS}, those before to ${WEIGHTS}.previous.
Ctrl-C stops and keeps what there is.`;

/** Reads the command line. */
export function readOptions(args: string[]): Options {
  const values = parse(args, {
    steps: text("1000"),
    "batch-size": text("16"),
    context: text("64"),
    layers: text("4"),
    heads: text("4"),
    width: text("128"),
    dropout: text("0"),
    "learning-rate": text("0.003"),
    "weight-decay": text("0.1"),
    every: text("100"),
    sample: text("200"),
    temperature: text("0.8"),
    seed: text("0"),
    data: { type: "string" },
    device: text("auto"),
    json: flag,
    help: { ...flag, short: "h" },
  });
  const heads = readNumber("heads", values.heads, [1, 256]);
  const width = readNumber("width", values.width, [1, 4096]);
  if (width % (2 * heads) !== 0)
    throw new UsageError(`--width: ${width}; expected a multiple of ${2 * heads}, twice the heads`);
  return {
    steps: readNumber("steps", values.steps, [1, 10_000_000]),
    batchSize: readNumber("batch-size", values["batch-size"], [1, 4096]),
    context: readNumber("context", values.context, [2, 4096]),
    layers: readNumber("layers", values.layers, [1, 100]),
    heads,
    width,
    dropout: readNumber("dropout", values.dropout, [0, 0.99], false),
    learningRate: readNumber("learning-rate", values["learning-rate"], [0, 1000], false),
    weightDecay: readNumber("weight-decay", values["weight-decay"], [0, 1000], false),
    every: readNumber("every", values.every, [1, 10_000_000]),
    sample: readNumber("sample", values.sample, [1, 100_000]),
    temperature: readNumber("temperature", values.temperature, [0, 1000], false),
    seed: readNumber("seed", values.seed, [0, Number.MAX_SAFE_INTEGER]),
    data: values.data === undefined ? undefined : readPath("data", values.data),
    device: readDevice(values.device),
    json: values.json,
    help: values.help,
  };
}
