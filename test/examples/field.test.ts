import { beforeAll, expect, test } from "vitest";
import { FourierFeatures } from "../../examples/field/network.ts";
import { drawPicture, pixelsOf } from "../../examples/field/picture.ts";
import { paint, psnrOf, trainField } from "../../examples/field/training.ts";
import { keyFromSeed, tensor } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(async () => {
  await testDevice();
});

test("Fourier features are the cosines and sines of 2πBv", async () => {
  using features = new FourierFeatures(3, 2, keyFromSeed(4));
  const b = [...(await features.frequencies.data())];
  const points = [
    [0.25, 0.5],
    [0.9, 0.1],
  ];
  using x = tensor(points);
  using y = features.call(x);
  const rows = (await y.toArray()) as number[][];
  for (const [i, [u, v]] of points.entries()) {
    for (let k = 0; k < 3; k++) {
      const angle = 2 * Math.PI * (u * b[k] + v * b[3 + k]);
      expect(rows[i][k]).toBeCloseTo(Math.cos(angle), 4);
      expect(rows[i][3 + k]).toBeCloseTo(Math.sin(angle), 4);
    }
  }
});

test("a small field learns a small picture, and better with waves than without", async () => {
  const pixels = pixelsOf(await drawPicture(1), 24);
  const settings = { frequencies: 24, hidden: 32, seed: 2, batchSize: 192, learningRate: 0.01 };
  const train = (scale: number) => trainField(pixels, { ...settings, scale, steps: 150 });
  const { model, history, step } = await train(3);
  expect(step).toBe(150);
  expect(history.map(({ step }) => step)).toEqual([100, 150]);
  expect(history[1].loss).toBeLessThan(history[0].loss);
  expect(history[1].psnr).toBeGreaterThan(20);
  expect(psnrOf(await paint(model, pixels), pixels.colours)).toBeCloseTo(history[1].psnr, 5);
  const slow = await train(0.05);
  expect(history[1].psnr).toBeGreaterThan(slow.history[1].psnr + 2);
  for (const held of [model, slow.model]) held.dispose();
}, 120_000);

test("an aborted run stops before its next step", async () => {
  const pixels = pixelsOf(await drawPicture(1), 8);
  const settings = {
    frequencies: 2,
    scale: 1,
    hidden: 4,
    seed: 0,
    batchSize: 8,
    learningRate: 0.01,
  };
  const controller = new AbortController();
  const { step, model } = await trainField(
    pixels,
    { ...settings, steps: 1000 },
    { signal: controller.signal, onProgress: () => controller.abort() },
  );
  expect(step).toBe(100);
  model.dispose();
});

test("a picture is its seed's, and the noise ratio is that of the mean square", async () => {
  const [one, again, other] = await Promise.all([5, 5, 6].map((seed) => drawPicture(seed)));
  const [a, b, c] = [one, again, other].map((picture) => pixelsOf(picture, 16).colours);
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
  expect(a.every((x) => x >= 0 && x <= 1)).toBe(true);
  expect(psnrOf([0.1, 0.3], [0, 0.3])).toBeCloseTo(-10 * Math.log10(0.005), 10);
});
