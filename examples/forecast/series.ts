import { foldIn, keyFromSeed, randomNormal, randomUniform, type Tensor, tensor } from "gradus";
import { TensorDataset } from "gradus/data";

/** What a series and its windows are. */
export interface SeriesOptions {
  /** How many values there are. */
  readonly length: number;
  /** Standard deviation of the noise, in those of the series. */
  readonly noise: number;
  /** How many values a forecast is made from. */
  readonly window: number;
  /** How many values are forecast. */
  readonly horizon: number;
  readonly seed: number;
}

/** The delay of the equation, in units of time, and integration steps in one. */
const [DELAY, FINE] = [17, 10];

/**
 * Computes values of dx/dt = 0.2 x(t − 17) / (1 + x(t − 17)¹⁰) − 0.1 x(t), one each unit of time, which
 * never repeat, by steps of 0.1 in Runge and Kutta's way from a start that the seed draws; then moves them
 * to mean 0 and deviation 1 and adds noise.
 * Source: Mackey & Glass 1977, "Oscillation and chaos in physiological control systems", eq. 4b.
 */
export async function noisySeries({ length, noise, seed }: SeriesOptions): Promise<Float64Array> {
  const key = keyFromSeed(seed);
  using start = randomUniform([1], { low: 0.5, high: 1.3, key: foldIn(key, 0) });
  using errors = randomNormal([length], { key: foldIn(key, 1) });
  const past = DELAY * FINE;
  const skipped = 300 * FINE; // until what it began with is forgotten
  const x = new Float64Array(past + skipped + length * FINE).fill((await start.data())[0]);
  const production = (delayed: number) => (0.2 * delayed) / (1 + delayed ** 10);
  for (let i = past; i < x.length; i++) {
    const h = 1 / FINE;
    const [from, to] = [x[i - past], x[Math.min(i - past + 1, i - 1)]].map(production);
    const middle = (from + to) / 2;
    const now = x[i - 1];
    const k1 = from - 0.1 * now;
    const k2 = middle - 0.1 * (now + (h / 2) * k1);
    const k3 = middle - 0.1 * (now + (h / 2) * k2);
    const k4 = to - 0.1 * (now + h * k3);
    x[i] = now + (h / 6) * (k1 + 2 * k2 + 2 * k3 + k4);
  }
  const values = Float64Array.from({ length }, (_, i) => x[past + skipped + i * FINE]);
  const mean = values.reduce((a, b) => a + b, 0) / length;
  const deviation = Math.sqrt(values.reduce((all, v) => all + (v - mean) ** 2, 0) / length);
  const drawn = await errors.data();
  return values.map((v, i) => (v - mean) / deviation + noise * drawn[i]);
}

/** Windows of a series and what follows each, row by row. */
export interface Windows {
  readonly count: number;
  readonly window: number;
  readonly horizon: number;
  /** `[count, window]`. */
  readonly inputs: Float32Array<ArrayBuffer>;
  /** `[count, horizon]`. */
  readonly targets: Float32Array<ArrayBuffer>;
}

/** Cuts a series into all its windows, in order. */
export function windowsOf(
  series: Float64Array,
  { window, horizon }: Pick<SeriesOptions, "window" | "horizon">,
): Windows {
  const count = series.length - window - horizon + 1;
  const inputs = new Float32Array(count * window);
  const targets = new Float32Array(count * horizon);
  for (let i = 0; i < count; i++) {
    inputs.set(series.subarray(i, i + window), i * window);
    targets.set(series.subarray(i + window, i + window + horizon), i * horizon);
  }
  return { count, window, horizon, inputs, targets };
}

/** The first four fifths of a series to train on, and the rest, of which no window begins before. */
export function partsOf(series: Float64Array, options: SeriesOptions): [Windows, Windows] {
  const cut = Math.floor(0.8 * series.length);
  return [windowsOf(series.subarray(0, cut), options), windowsOf(series.subarray(cut), options)];
}

/** Windows as inputs `[n, window, 1]` and targets `[n, horizon]`, on the device. */
export function datasetOf({ count, window, horizon, inputs, targets }: Windows): TensorDataset<{
  inputs: Tensor;
  targets: Tensor;
}> {
  return new TensorDataset({
    inputs: tensor(inputs, { shape: [count, window, 1] }),
    targets: tensor(targets, { shape: [count, horizon] }),
  });
}
