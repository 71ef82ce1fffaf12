import { expect, test } from "vitest";
import { init } from "../../../src/index.ts";
import { batchOf, stepOf } from "../../support/cnn-step.ts";

test("a convolutional network's step needs little more memory than its values at once", async () => {
  const { device } = await init({ device: "cpu", engine: "compiled", isolated: true });
  const step = stepOf(device, 28);
  const plan = await step.prepare(batchOf(device, 250, 28));
  const { peakBytes, lowerBoundBytes } = await plan.stats();
  expect(lowerBoundBytes).toBeGreaterThan(250 * 28 * 28 * 16 * 4);
  expect(peakBytes).toBeLessThanOrEqual(1.25 * lowerBoundBytes);
  device.dispose();
});

test("a convolutional network's step makes and uploads nothing when it is steady", async () => {
  const { device } = await init({ device: "cpu", engine: "compiled", isolated: true });
  const step = stepOf(device, 8);
  const batch = batchOf(device, 10, 8);
  for (let i = 0; i < 4; i++) await step(batch);
  const [first] = await step.read();
  const [mark, before] = [device.counters.now, device.memory()];
  for (let i = 0; i < 8; i++) await step(batch);
  const { buffers, writes, reads } = device.counters.since(mark);
  expect({ buffers, writes, reads }).toEqual({ buffers: 0, writes: 0, reads: 0 });
  expect(device.memory()).toEqual(before);
  expect(((await step.read()).at(-1) ?? first).loss).toBeLessThan(first.loss);
  device.dispose();
});
