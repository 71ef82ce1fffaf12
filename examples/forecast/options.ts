import { flag, parse, readChoice, readDevice, readNumber, text } from "../command/arguments.ts";
import type { Settings } from "./training.ts";

/** What the command was asked for. */
export interface Options extends Settings {
  /** Which networks are trained. */
  network: "lstm" | "tcn" | "both";
  device: "auto" | "webgpu" | "cpu";
  json: boolean;
  help: boolean;
}

export const HELP = `Forecasts a noisy series by an LSTM and by a temporal convolution, and compares them with the last
value and with a linear function of the window.

Usage: npm run forecast -- [options]

  --network NAME      lstm, tcn or both (both)
  --steps N           steps of Adam (600)
  --batch-size N      windows in each step (64)
  --learning-rate X   Adam's at the first step; it falls to 0 along a cosine (0.005)
  --hidden N          values of the LSTM's state, and channels of the convolutions (32)
  --length N          values of the series, of which the last fifth is to test on (6000)
  --noise X           the noise's deviation, in those of the series (0.1)
  --window N          values that a forecast is made from (48)
  --horizon N         values that are forecast (12)
  --seed N            fixes the series, initial weights and order of the windows (0)
  --device NAME       auto, webgpu or cpu (auto: a real GPU, else the CPU)
  --json              one JSON object a line, every 100 steps and at the end
  --help              this text

The weights go to runs/forecast-lstm.safetensors and runs/forecast-tcn.safetensors. Ctrl-C stops and
keeps what there is.`;

/** Reads the command line. */
export function readOptions(args: string[]): Options {
  const values = parse(args, {
    network: text("both"),
    steps: text("600"),
    "batch-size": text("64"),
    "learning-rate": text("0.005"),
    hidden: text("32"),
    length: text("6000"),
    noise: text("0.1"),
    window: text("48"),
    horizon: text("12"),
    seed: text("0"),
    device: text("auto"),
    json: flag,
    help: { ...flag, short: "h" },
  });
  const window = readNumber("window", values.window, [1, 1000]);
  const horizon = readNumber("horizon", values.horizon, [1, 1000]);
  // A fifth holds a window and what follows it, and four fifths a batch.
  const length = readNumber("length", values.length, [5 * (window + horizon), 1_000_000]);
  const most = Math.floor(0.8 * length) - window - horizon + 1;
  return {
    network: readChoice("network", values.network, ["lstm", "tcn", "both"]),
    steps: readNumber("steps", values.steps, [1, 1_000_000]),
    batchSize: readNumber("batch-size", values["batch-size"], [1, most]),
    learningRate: readNumber("learning-rate", values["learning-rate"], [0, 1000], false),
    hidden: readNumber("hidden", values.hidden, [1, 4096]),
    length,
    noise: readNumber("noise", values.noise, [0, 1000], false),
    window,
    horizon,
    seed: readNumber("seed", values.seed, [0, Number.MAX_SAFE_INTEGER]),
    device: readDevice(values.device),
    json: values.json,
    help: values.help,
  };
}
