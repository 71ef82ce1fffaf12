import {
  flag,
  parse,
  readChoice,
  readDevice,
  readNumber,
  readPath,
  text,
} from "../command/arguments.ts";
import { TURNS } from "./class-batches.ts";
import { DIGITS } from "./recognition.ts";
import { type CharacterSet, SETS, type Settings } from "./training.ts";

/** What the command was asked for. */
export interface Options extends Settings {
  /** The folder with the files of Omniglot. */
  data: string;
  /** Trials with digits. */
  trials: number;
  /** Whether 3, 4 and 5 are held back and tried, in place of 7, 8 and 9. */
  validate: boolean;
  device: "auto" | "webgpu" | "cpu";
  json: boolean;
  help: boolean;
}

/** How long is trained on each. */
const STEPS: Record<CharacterSet, string> = { mnist: "300", omniglot: "1000" };

export const HELP = `Trains an embedding by triplets and recognises characters that it has seen once.

Usage: npm run oneshot -- [options]

  --set NAME          mnist, trained on the digits 0 to 6 and on invented characters, and tried on 7, 8
                      and 9; or omniglot, trained on the two small background sets and tried on the 20
                      standard runs (mnist)
  --data FOLDER       with images_background_small1.zip, images_background_small2.zip and all_runs.zip of
                      Omniglot (../shared/data/omniglot)
  --steps N           batches that are trained on (300, of omniglot 1000)
  --classes N         classes in each batch, a character and its quarter turns being four (32)
  --invented N        how many of them are characters invented for the batch (0.7 of them, of omniglot 0)
  --examples N        images of each of them (4)
  --margin X          by how much other classes shall be farther away, as squared distance (0.2)
  --learning-rate X   Adam's at the first step; it falls to 0 along a cosine (0.003)
  --trials N          trials with digits, of 3 shown and 15 asked (1000)
  --validate          trains on 0, 1, 2 and 6 and tries 3, 4 and 5: choose settings by these
  --seed N            fixes initial weights, batches and distortions (0)
  --device NAME       auto, webgpu or cpu (auto: a real GPU, else the CPU)
  --json              one JSON object a line, every 50 steps and at the end
  --help              this text

The weights go to runs/oneshot.safetensors. Ctrl-C stops and keeps the weights so far.`;

/** The share of a batch's classes that is invented beside digits. */
const INVENTED = 0.7;

/** Reads the command line. */
export function readOptions(args: string[]): Options {
  const values = parse(args, {
    set: text("mnist"),
    data: text("../shared/data/omniglot"),
    steps: { type: "string" },
    classes: text("32"),
    invented: { type: "string" },
    examples: text("4"),
    margin: text("0.2"),
    "learning-rate": text("0.003"),
    trials: text("1000"),
    validate: flag,
    seed: text("0"),
    device: text("auto"),
    json: flag,
    help: { ...flag, short: "h" },
  });
  const set = readChoice("set", values.set, SETS);
  const isDigits = set === "mnist";
  const { validate } = values;
  const classes = readNumber("classes", values.classes, [2, 128]);
  const { known } = DIGITS[validate ? "validation" : "test"];
  const least = isDigits ? Math.max(0, classes - TURNS.length * known.length) : 0;
  const usual = isDigits ? Math.max(least, Math.round(INVENTED * classes)) : 0;
  return {
    set,
    data: readPath("data", values.data),
    steps: readNumber("steps", values.steps ?? STEPS[set], [1, 1_000_000]),
    classes,
    invented: readNumber("invented", values.invented ?? String(usual), [least, classes]),
    // A batch has 256 images at the most, whose triplets are compared one by one; of a character 20.
    examples: readNumber("examples", values.examples, [2, Math.min(20, Math.floor(256 / classes))]),
    margin: readNumber("margin", values.margin, [0, 4], false),
    learningRate: readNumber("learning-rate", values["learning-rate"], [0, 1000], false),
    trials: readNumber("trials", values.trials, [2, 1_000_000]),
    validate,
    seed: readNumber("seed", values.seed, [0, 1_000_000]),
    device: readDevice(values.device),
    json: values.json,
    help: values.help,
  };
}
