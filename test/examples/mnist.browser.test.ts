import { expect, test } from "vitest";
import { TwoLayerNetwork } from "../../examples/mnist/network.ts";
import { DataLoader } from "../../src/data/index.ts";
import { type Device, init, setDefaultDevice } from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { ownDevice, testDevice } from "../support/device.ts";
import { EPOCH, loadMnist, REFERENCE, testAccuracies } from "../support/mnist.ts";

test("one epoch on WebGPU reaches the reference accuracy", async () => {
  const [accuracy] = await testAccuracies(await testDevice(), { after: [EPOCH] });
  expect(Math.abs(accuracy - REFERENCE[1])).toBeLessThanOrEqual(0.01);
}, 600_000);

/** Trains some steps on a device and gives the initial weights and every loss. */
async function run(
  device: Device,
  steps: number,
): Promise<{ weights: number[]; losses: number[] }> {
  setDefaultDevice(device);
  const { trainData } = await loadMnist(device);
  const model = new TwoLayerNetwork(50, 7);
  const weights = [...(await model.hidden.weight.data())];
  const step = trainStep({
    model,
    optimizer: new SGD(model.parameters(), { learningRate: 0.1 }),
    loss: (network, { images, labels }: Awaited<ReturnType<typeof trainData.batch>>) =>
      crossEntropy(network.call(images), labels),
  });
  const losses: number[] = [];
  for await (using batch of new DataLoader({ dataset: trainData, batchSize: 100, seed: 7 }).epoch(
    0,
  )) {
    await step(batch);
    if (step.next === steps) break;
  }
  for (const { loss } of await step.read()) losses.push(loss);
  return { weights, losses };
}

test("both devices start alike and their losses agree for 100 steps", async () => {
  const gpu = await testDevice();
  const { device: cpu } = await init({ device: "cpu", isolated: true });
  const a = await run(gpu, 100);
  const b = await run(cpu, 100);
  expect(a.weights).toEqual(b.weights);
  for (const [i, loss] of a.losses.entries()) {
    expect(Math.abs(loss - b.losses[i]) / b.losses[i]).toBeLessThanOrEqual(1e-4);
  }
  setDefaultDevice(gpu);
}, 600_000);

test("a step is one submit of a few kernels and creates only what brings its batch", async () => {
  const device = await ownDevice({ kernels: "direct" }); // packs kernels as for a GPU
  const { trainData } = await loadMnist(device);
  const model = new TwoLayerNetwork(50, 1);
  const step = trainStep({
    model,
    optimizer: new SGD(model.parameters(), { learningRate: 0.1 }),
    loss: (network, { images, labels }: Awaited<ReturnType<typeof trainData.batch>>) =>
      crossEntropy(network.call(images), labels),
    stepsPerSubmit: 1, // else as many as the adapter is fast enough for
    mirrorEvery: null,
  });
  let mark = device.counters.now;
  let steps = 0;
  for await (using batch of new DataLoader({ dataset: trainData, batchSize: 100 }).epoch(0)) {
    await step(batch);
    if (++steps === 10) mark = device.counters.now;
    if (steps === 20) break;
  }
  const { dispatches, submits, buffers, pipelines, writes, reads } = device.counters.since(mark);
  expect({ dispatches, submits, buffers, pipelines, writes, reads }).toEqual({
    dispatches: 10 * 5,
    submits: 10,
    buffers: 10, // each brings a batch's rows and is freed
    pipelines: 0,
    writes: 10,
    reads: 0,
  });
  device.dispose();
}, 600_000);

test("2,000 steps leave tensors, buffers and bytes where they were after step 10", async () => {
  const device = await ownDevice();
  const { trainData } = await loadMnist(device);
  const model = new TwoLayerNetwork(16, 1);
  const step = trainStep({
    model,
    optimizer: new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 }),
    loss: (network, { images, labels }: Awaited<ReturnType<typeof trainData.batch>>) =>
      crossEntropy(network.call(images), labels),
  });
  const loader = new DataLoader({ dataset: trainData, batchSize: 20, seed: 1 });
  let early = device.memory();
  let steps = 0;
  for await (using batch of loader.epoch(0)) {
    await step(batch);
    steps++;
    if (steps % 10 === 0) await step.read();
    if (steps === 10) early = device.memory();
    if (steps === 2000) {
      const { reclaimed: _, ...held } = early; // the collector may take what other tests left
      expect(device.memory()).toMatchObject(held);
      break;
    }
  }
  device.dispose();
}, 600_000);
