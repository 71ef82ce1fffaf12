import { beforeAll, expect, test } from "vitest";
import { lastValues, linearForecast, rootMeanSquare } from "../../examples/forecast/baselines.ts";
import { ConvolutionalForecaster } from "../../examples/forecast/network.ts";
import { noisySeries, partsOf, windowsOf } from "../../examples/forecast/series.ts";
import { forecast, trainForecaster } from "../../examples/forecast/training.ts";
import { tensor } from "../../src/index.ts";
import { inBrowser, testDevice } from "../support/device.ts";

beforeAll(async () => {
  await testDevice();
});

const SERIES = { length: 1500, noise: 0.1, window: 24, horizon: 6, seed: 1 };

test.each(["lstm", "tcn"] as const)(
  "a small %s learns to forecast better than lines do",
  async (network) => {
    const [train, held] = partsOf(await noisySeries(SERIES), SERIES);
    const steps = inBrowser ? 100 : 300;
    const settings = { ...SERIES, hidden: 12, batchSize: 32, learningRate: 0.02, steps };
    const { model, history, step } = await trainForecaster(network, train, settings);
    expect(step).toBe(steps);
    expect(history.map(({ step }) => step)).toEqual([100, 200, 300].slice(0, steps / 100));
    const errorOf = (made: ArrayLike<number>) => rootMeanSquare(made, held.targets);
    const own = errorOf(await forecast(model, held));
    expect(own).toBeLessThan(0.7 * errorOf(lastValues(held)));
    if (!inBrowser) expect(own).toBeLessThan(0.9 * errorOf(linearForecast(train, held)));
    model.dispose();
  },
  120_000,
);

test("the series follows its equation, from mean 0 and deviation 1, and is its seed's", async () => {
  const clean = { ...SERIES, length: 4000, noise: 0 };
  const [one, again, other] = await Promise.all(
    [clean, clean, { ...clean, seed: 2 }].map(noisySeries),
  );
  expect(one).toEqual(again);
  expect(one).not.toEqual(other);
  const mean = one.reduce((a, b) => a + b, 0) / one.length;
  expect(mean).toBeCloseTo(0, 10);
  expect(rootMeanSquare(one, new Float64Array(one.length))).toBeCloseTo(1, 10);
  // x = m + s · one: (x[t + 1] − x[t − 1]) / 2 = s ẋ nearly, with m and s as they are known to be
  const [m, s] = [0.93, 0.226];
  const x = Array.from(one, (value) => m + s * value);
  let largest = 0;
  for (let t = 18; t < 2000; t++) {
    const slope = (0.2 * x[t - 17]) / (1 + x[t - 17] ** 10) - 0.1 * x[t];
    largest = Math.max(largest, Math.abs((x[t + 1] - x[t - 1]) / 2 - slope));
  }
  expect(largest).toBeLessThan(0.02);
  const noisy = await noisySeries({ ...clean, noise: 0.1 });
  expect(rootMeanSquare(noisy, one)).toBeCloseTo(0.1, 2);
});

test("windows are followed by what follows them, and those to test on overlap with none before", () => {
  const series = Float64Array.from({ length: 50 }, (_, i) => i);
  const sizes = { window: 3, horizon: 2 };
  const { count, inputs, targets } = windowsOf(series.subarray(0, 7), sizes);
  expect(count).toBe(3);
  expect([...inputs]).toEqual([0, 1, 2, 1, 2, 3, 2, 3, 4]);
  expect([...targets]).toEqual([3, 4, 4, 5, 5, 6]);
  const [train, held] = partsOf(series, { ...SERIES, ...sizes });
  expect(Math.max(...train.targets)).toBe(39);
  expect(Math.min(...held.inputs)).toBe(40);
});

test("lines are forecast by a linear function, and the last value by itself", () => {
  const series = Float64Array.from({ length: 400 }, (_, i) => Math.sin(0.3 * i) * 100);
  const [train, held] = partsOf(series, { ...SERIES, window: 8, horizon: 3 });
  // A wave is a linear function of two values before: 2 cos ω x[t − 1] − x[t − 2].
  expect(rootMeanSquare(linearForecast(train, held), held.targets)).toBeLessThan(0.01);
  const made = lastValues(held);
  expect([...made.subarray(0, 3)]).toEqual(new Array(3).fill(held.inputs[7]));
  expect(rootMeanSquare([1, 2], [4, -2])).toBeCloseTo(Math.sqrt(12.5), 10);
});

test("a causal convolution sees the 61 values before, and nothing of what is to come", async () => {
  const model = new ConvolutionalForecaster({ hidden: 4, horizon: 1, seed: 3 });
  const time = 70;
  const outputs = async (changed: number) => {
    const wave = Float32Array.from({ length: time }, (_, t) => {
      return Math.sin(t) + (t === changed ? 10 : 0);
    });
    using x = tensor(wave, { shape: [1, 1, time] });
    const y = model.blocks.reduce((y, block) => block.call(y), x);
    return y.data();
  };
  const at = 5;
  const [plain, changed] = [await outputs(-1), await outputs(at)];
  const differs = Array.from({ length: time }, (_, t) => {
    return [0, 1, 2, 3].some(
      (channel) => plain[channel * time + t] !== changed[channel * time + t],
    );
  });
  expect(differs.slice(0, at)).toEqual(new Array(at).fill(false));
  expect(differs.slice(at + 61)).toEqual(new Array(time - at - 61).fill(false));
  expect(differs.indexOf(true)).toBe(at);
  expect(differs.lastIndexOf(true)).toBeGreaterThan(at + 40);
  model.dispose();
});
