import { beforeAll, expect, test } from "vitest";
import { type Batch, DataLoader, DeviceDataset } from "../../src/data/index.ts";
import { DisposedError, square, sum, type Tensor, tensor } from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { accuracy } from "../../src/metrics/index.ts";
import { Linear, type Module, Sequential, Tanh } from "../../src/nn/index.ts";
import { Adam, linearWarmup, SGD, stepDecay } from "../../src/optim/index.ts";
import { accumulatedStep, trainStep } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

const loss = (model: Module, { images, labels }: Batch) => crossEntropy(model.call(images), labels);

function data(size: number): DeviceDataset {
  const pixels = Uint8Array.from({ length: 6 * size }, (_, i) => (i * 97 + i * i) % 256);
  const labels = Uint8Array.from({ length: size }, (_, i) => (i * 5) % 3);
  return new DeviceDataset(tensor(pixels, { shape: [size, 6] }), tensor(labels));
}

const network = () =>
  new Sequential(new Linear(6, 7, { seed: 1 }), new Tanh(), new Linear(7, 3, { seed: 2 }));

test("batches from the step's own counter are those of the loader", async () => {
  const dataset = data(20);
  const loader = new DataLoader({ dataset, batchSize: 5, seed: 3 });
  const [given, own] = [network(), network()];
  const step = trainStep({ model: given, optimizer: sgd(given), loss });
  const { batchAt } = loader;
  const shuffled = trainStep({ model: own, optimizer: sgd(own), loss, batchAt });
  for (let epoch = 0; epoch < 3; epoch++) {
    for await (using batch of loader.epoch(epoch)) await step(batch);
  }
  for (let i = 0; i < 12; i++) await shuffled();
  const [a, b] = [await step.read(), await shuffled.read()];
  expect(b.map((record) => record.step)).toEqual(Array.from({ length: 12 }, (_, i) => i));
  for (const [i, record] of b.entries()) expect(record.loss).toBeCloseTo(a[i].loss, 5);
});

function sgd(model: Module): SGD {
  return new SGD(model.parameters(), { learningRate: 0.2, momentum: 0.9 });
}

test("a read tells of first steps that nobody has waited for", async () => {
  const dataset = data(10);
  const model = network();
  const { batchAt } = new DataLoader({ dataset, batchSize: 5, seed: 3 });
  const step = trainStep({ model, optimizer: sgd(model), loss, batchAt });
  const steps = [step(), step()];
  const records = await step.read();
  expect(records.map((record) => record.step)).toEqual([0, 1]);
  expect(step.next).toBe(2);
  await Promise.all(steps);
  expect(await step.read()).toEqual([]);
});

test("a last batch that is shorter leaves the loader to the host", () => {
  expect(new DataLoader({ dataset: data(20), batchSize: 6 }).batchAt).toBeUndefined();
  expect(new DataLoader({ dataset: data(20), batchSize: 6, dropLast: true }).batchAt).toBeDefined();
});

test("losses and metrics are kept until they are read, the last ones of many", async () => {
  const dataset = data(12);
  const model = network();
  const step = trainStep<Sequential, Batch>({
    model,
    optimizer: sgd(model),
    loss,
    metrics: {
      accuracy: (net, { images, labels }) => accuracy(net.call(images), labels),
      0: (net, { images, labels }) => accuracy(net.call(images), labels).mul(0),
      size: (net) => [...net.parameters().values()].map(sumOfSquares).reduce((a, b) => a.add(b)),
    },
    batchAt: new DataLoader({ dataset, batchSize: 4, seed: 1 }).batchAt,
    history: 8,
  });
  expect(await step.read()).toEqual([]);
  for (let i = 0; i < 5; i++) await step();
  const first = await step.read();
  expect(first.map((record) => record.step)).toEqual([0, 1, 2, 3, 4]);
  for (const record of first) {
    expect([0, 0.25, 0.5, 0.75, 1]).toContain(record.accuracy);
    expect(record.size).toBeGreaterThan(0);
    expect(record[0]).toBe(0);
  }
  for (let i = 0; i < 20; i++) await step();
  expect(step.next).toBe(25);
  const last = await step.read();
  expect(last.map((record) => record.step)).toEqual([17, 18, 19, 20, 21, 22, 23, 24]);
  expect(await step.read()).toEqual([]);
  step.dispose();
});

function sumOfSquares(x: Tensor): Tensor {
  return sum(square(x));
}

test("a run goes on where another one was", async () => {
  const dataset = data(12);
  const { batchAt } = new DataLoader({ dataset, batchSize: 4, seed: 5 });
  const losses = async (from: number, count: number) => {
    const model = network();
    const optimizer = new SGD(model.parameters(), { learningRate: 0 });
    const step = trainStep<Sequential, Batch>({ model, optimizer, loss, batchAt });
    if (from > 0) step.seek(from);
    for (let i = 0; i < count; i++) await step();
    return step.read();
  };
  expect(await losses(4, 3)).toEqual((await losses(0, 7)).slice(4));
});

test("steps are freed at the end of the block that uses them", async () => {
  const model = network();
  const parts = () => ({ model, optimizer: sgd(model), loss });
  using batch = await data(4).batch([0, 1]);
  for (const make of [
    () => trainStep(parts()),
    () => accumulatedStep({ ...parts(), accumulate: 2 }),
  ]) {
    const steps: ReturnType<typeof make>[] = [];
    {
      using step = make();
      steps.push(step);
      await step(batch);
    }
    await expect(steps[0](batch)).rejects.toThrow(DisposedError);
  }
});

test("a schedule is followed in the plan", async () => {
  const model = new Sequential(new Linear(1, 1, { bias: false, weightInit: () => tensor([[1]]) }));
  const [weight] = [...model.parameters().values()];
  const learningRate = linearWarmup(stepDecay(0.5, { every: 2, factor: 0.5 }), { steps: 1 });
  const optimizer = new SGD(model.parameters(), { learningRate });
  const x = tensor([[1]]);
  const step = trainStep({ model, optimizer, loss: (net, batch: Tensor) => sum(net.call(batch)) });
  const seen: number[] = [];
  for (let i = 0; i < 5; i++) {
    await step(x);
    seen.push(await weight.item());
  }
  // Rates 0, 0.5, 0.5, 0.25, 0.25.
  expect(seen).toEqual([1, 0.5, 0, -0.25, -0.5]);
  expect(await optimizer.counter.item()).toBe(5);
});

test("a net learns with Adam in replays", async () => {
  const model = network();
  const step = trainStep<Sequential, Batch>({
    model,
    optimizer: new Adam(model.parameters(), { learningRate: 0.05 }),
    loss,
    batchAt: new DataLoader({ dataset: data(12), batchSize: 12, shuffle: false }).batchAt,
  });
  for (let i = 0; i < 150; i++) await step();
  const records = await step.read();
  expect(records[0].loss).toBeGreaterThan(0.8);
  expect(records[149].loss).toBeLessThan(0.2);
});

test("mistakes are told", async () => {
  const model = network();
  const options = { model, optimizer: sgd(model), loss };
  expect(() => trainStep({ ...options, history: 0 })).toThrow(
    "trainStep: history 0; expected an integer from 1",
  );
  expect(() => trainStep({ ...options, metrics: { loss } })).toThrow(
    "trainStep: a metric called loss or step; expected other names",
  );
  const step = trainStep(options);
  await expect(step()).rejects.toThrow("trainStep: no batch; expected one, or the option batchAt");
  expect(() => step.seek(-1)).toThrow("trainStep: seek to -1; expected an integer from 0");
  using batch = data(4).batch(Uint32Array.of(0, 1));
  const rows = trainStep({ ...options, loss: (net, { images }: Batch) => net.call(images) });
  await expect(rows(batch)).rejects.toThrow(
    "trainStep: loss has shape [2, 3]; expected a scalar. Reduce it, say with mean",
  );
});
