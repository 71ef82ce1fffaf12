import { beforeAll, expect, test } from "vitest";
import { trainConvolutions } from "../../examples/cnn/training.ts";
import { DeviceDataset } from "../../src/data/index.ts";
import { tensor } from "../../src/index.ts";
import { evaluateAccuracy } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(async () => {
  await testDevice();
});

/** Images `[n, 784]` of a bright square among faint pixels, whose place is its class. */
function squares(count: number, seed: number): DeviceDataset {
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const pixels = Uint8Array.from({ length: count * 784 }, (_, i) => (i * 7919 * seed) % 60);
  for (const [i, label] of labels.entries()) {
    const [top, left] = [4 + 6 * Math.floor(label / 4), 2 + 6 * (label % 4)];
    for (let k = 0; k < 25; k++) {
      pixels[i * 784 + (top + Math.floor(k / 5)) * 28 + left + (k % 5)] = 200 + (k % 50);
    }
  }
  return new DeviceDataset(tensor(pixels, { shape: [count, 784] }), tensor(labels));
}

test("the convolutional network of the example learns where squares lie", async () => {
  const [trainData, testData] = [squares(100, 1), squares(20, 3)];
  const settings = { epochs: 5, batchSize: 10, learningRate: 0.002, dropout: 0.1, seed: 0 };
  const { model, history, step } = await trainConvolutions(trainData, testData, settings);
  expect(step).toBe(50);
  expect(history[4].loss).toBeLessThan(history[0].loss / 2);
  expect(history[4].testAccuracy).toBeGreaterThan(0.9);
  expect(await evaluateAccuracy(model, testData)).toBe(history[4].testAccuracy);
  model.dispose();
}, 120_000);
