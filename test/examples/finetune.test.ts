import { beforeAll, expect, test } from "vitest";
import { loadTorchNetwork } from "../../examples/finetune/network.ts";
import golden from "../../examples/finetune/torch-logits.json" with { type: "json" };
import { SHIFTS } from "../../examples/finetune/training.ts";
import type { DeviceDataset } from "../../src/data/index.ts";
import { type Device, mul, ones, type Tensor } from "../../src/index.ts";
import { addLora, mergeLora } from "../../src/nn/index.ts";
import { testDevice } from "../support/device.ts";
import { loadMnist } from "../support/mnist.ts";

let device: Device;
let testData: DeviceDataset;
beforeAll(async () => {
  device = await testDevice();
  ({ testData } = await loadMnist(device));
});

/** The first test images, as many as PyTorch was given. */
async function someImages(): Promise<Tensor> {
  const { images } = testData.batch(Array.from(golden.plain, (_, i) => i));
  return images;
}

/** How far logits lie from PyTorch's, at the most. */
async function farthest(y: Tensor, expected: readonly (readonly number[])[]): Promise<number> {
  expect(y.shape).toEqual([expected.length, 10]);
  const values = [...(await y.data())] as number[];
  return Math.max(...expected.flat().map((x, i) => Math.abs(x - values[i])));
}

test("a network that PyTorch trained gives its logits, also with adapters that add nothing", async () => {
  using model = await loadTorchNetwork();
  const images = await someImages();
  const inverted = SHIFTS.inverted(images);
  expect(await farthest(model.call(images), golden.plain)).toBeLessThan(1e-5);
  expect(await farthest(model.call(inverted), golden.inverted)).toBeLessThan(1e-5);
  addLora(model, { rank: 4, seed: 1 });
  expect(await farthest(model.call(images), golden.plain)).toBeLessThan(1e-5);
  // What is added is seen, beside the weights and in them.
  for (const p of model.parameters()) p.assign(mul(ones(p.shape), 0.02));
  const away = await farthest(model.call(images), golden.plain);
  expect(away).toBeGreaterThan(0.1);
  mergeLora(model);
  expect(await farthest(model.call(images), golden.plain)).toBeCloseTo(away, 4);
});
