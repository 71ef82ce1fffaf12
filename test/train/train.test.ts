import { beforeAll, expect, test } from "vitest";
import { type Batch, DataLoader, DeviceDataset } from "../../src/data/index.ts";
import {
  argmax,
  type Device,
  evaluate,
  GradusError,
  setDefaultDevice,
  tensor,
  zeros,
} from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { accuracy } from "../../src/metrics/index.ts";
import { Dropout, Linear, type Module, Sequential, Tanh } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import {
  type EpochEvent,
  evaluateAccuracy,
  type TrainEvent,
  train,
  trainStep,
} from "../../src/train/index.ts";
import { ownDevice, testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

/** Exclusive or: four points, repeated so that batches are not all alike. */
function xor(copies = 4): DeviceDataset {
  const points = [0, 0, 0, 255, 255, 0, 255, 255];
  const pixels = Uint8Array.from(Array.from({ length: copies }, () => points).flat());
  const labels = Uint8Array.from(Array.from({ length: copies }, () => [0, 1, 1, 0]).flat());
  return new DeviceDataset(tensor(pixels, { shape: [4 * copies, 2] }), tensor(labels));
}

const loss = (model: Module, { images, labels }: Batch) => crossEntropy(model.call(images), labels);

function setup(copies = 4) {
  const model = new Sequential(
    new Linear(2, 8, { seed: 1 }),
    new Tanh(),
    new Linear(8, 2, { seed: 2 }),
  );
  const optimizer = new SGD(model.parameters(), { learningRate: 0.5, momentum: 0.9 });
  const dataset = xor(copies);
  const loader = new DataLoader({ dataset, batchSize: 4, seed: 3 });
  const dispose = () => {
    for (const x of [model, optimizer, dataset]) x.dispose();
  };
  return { model, optimizer, dataset, loader, loss, dispose };
}

async function collect(events: AsyncIterable<TrainEvent>): Promise<TrainEvent[]> {
  const all: TrainEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

test("a small net learns exclusive or, and says so", async () => {
  const { dataset, dispose, ...parts } = setup();
  const events = await collect(
    train({ ...parts, epochs: 40, metricsEvery: 3, trainData: dataset, testData: dataset }),
  );
  const epochs = events.filter((e) => e.event === "epoch");
  const steps = events.filter((e) => e.event === "step");
  expect(epochs.map((e) => e.step)).toEqual(Array.from({ length: 40 }, (_, i) => 4 * (i + 1)));
  expect(steps.map((e) => e.step)).toEqual(Array.from({ length: 53 }, (_, i) => 3 * (i + 1)));
  expect(steps.every((e) => e.steps === 160 && e.secondsLeft >= 0)).toBe(true);
  expect(epochs[0].loss).toBeGreaterThan(0.3);
  const last = epochs[39];
  expect(last.loss).toBeLessThan(0.02);
  expect([last.trainAccuracy, last.testAccuracy]).toEqual([1, 1]);
  expect(last.stepsPerSecond).toBeGreaterThan(0);
  dispose();
});

test("reported losses are those of the steps", async () => {
  const { dataset: _, dispose, ...a } = setup();
  const { loader, model, optimizer, ...b } = setup();
  const step = trainStep({ model, optimizer, loss });
  for await (using batch of loader.epoch(0)) await step(batch);
  const losses = (await step.read()).map((record) => record.loss);
  step.dispose();
  const events = (await collect(train({ ...a, epochs: 1, metricsEvery: 1 }))) as EpochEvent[];
  expect(events.slice(0, 4).map((e) => e.loss)).toEqual(losses);
  expect(events[4].event).toBe("epoch");
  expect(events[4].loss).toBeCloseTo(losses.reduce((x, y) => x + y) / 4, 6);
  expect(events[4]).not.toHaveProperty("trainAccuracy");
  dispose();
  b.dispose();
});

test("memory stays constant over 200 steps and over epochs", async () => {
  const shared = device;
  device = await ownDevice(); // with nothing of other tests that may be reclaimed
  const { model, optimizer, dataset, loader, dispose } = setup(16);
  evaluate(dataset.images, dataset.labels, ...model.parameters());
  const seen: number[][] = [];
  const note = () => {
    const { buffers, bytes } = device.memory();
    seen.push([held(device), buffers, bytes]);
  };
  // Without mirrors of the states, whose reads come by the clock, and a step at a time: how many
  // buffers are spare follows from how far a device may lag behind.
  const step = trainStep({ model, optimizer, loss, mirrorEvery: null });
  for (let epoch = 0; epoch < 13; epoch++) {
    for await (using batch of loader.epoch(epoch)) {
      await step(batch);
      expect(await step.read()).toHaveLength(1);
    }
    note();
  }
  expect(seen[12]).toEqual(seen[1]);
  const tensors = held(device);
  seen.length = 0;
  for await (const event of train({
    model,
    optimizer,
    loss,
    loader,
    epochs: 5,
    metricsEvery: 1,
    testData: dataset,
    mirrorEvery: null,
  })) {
    await model.parameters()[0].data();
    if (event.event === "epoch") note();
  }
  expect(seen[4]).toEqual(seen[1]);
  expect(held(device)).toBe(tensors);
  dispose();
  device = shared;
  setDefaultDevice(device);
});

test("a signal stops between steps and keeps the weights", async () => {
  const { model, dispose, dataset: _, ...parts } = setup();
  const controller = new AbortController();
  const events: TrainEvent[] = [];
  const { signal } = controller;
  for await (const e of train({ model, ...parts, epochs: 1000, metricsEvery: 1, signal })) {
    events.push(e);
    if (e.step === 6) controller.abort();
  }
  expect(events.length).toBeLessThan(40);
  expect((await model.parameters()[0].data()).every(Number.isFinite)).toBe(true);
  expect(await collect(train({ model, ...parts, epochs: 1, signal }))).toEqual([]);
  dispose();
});

test("other tasks get their turn while training runs", async () => {
  const { dispose, dataset: _, ...parts } = setup();
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 50);
  await collect(train({ ...parts, epochs: 1e6, signal: controller.signal }));
  expect(controller.signal.aborted).toBe(true);
  dispose();
});

test("leaving the loop early frees what was under way", async () => {
  const { dispose, dataset, ...parts } = setup();
  const { model, optimizer } = parts;
  evaluate(dataset.images, dataset.labels, optimizer.rate, ...optimizer.state().values());
  evaluate(...model.parameters());
  const before = held(device);
  for await (const event of train({ ...parts, epochs: 100, metricsEvery: 2 })) {
    if (event.step >= 4) break;
  }
  expect(held(device)).toBe(before);
  dispose();
});

test("an error in the loss frees what was not read yet", async () => {
  const { dispose, dataset, ...parts } = setup();
  const { model, optimizer } = parts;
  evaluate(dataset.images, dataset.labels, optimizer.rate, ...optimizer.state().values());
  evaluate(...model.parameters());
  const before = held(device);
  let calls = 0;
  const failing = (net: Module, batch: Batch) => {
    if (++calls === 2) throw new Error("no second loss");
    return loss(net, batch);
  };
  // The last batch is shorter, so that the loss is traced a second time.
  const loader = new DataLoader({ dataset, batchSize: 5 });
  const events = train({ ...parts, loader, loss: failing, epochs: 1 });
  await expect(collect(events)).rejects.toThrow("no second loss");
  expect(held(device)).toBe(before);
  dispose();
});

test("errors in the loss and in numbers reach the caller", async () => {
  const { dispose, dataset: _, ...parts } = setup();
  expect(() => train({ ...parts, epochs: -1 })).toThrow("train: epochs -1; expected an integer");
  expect(() => train({ ...parts, epochs: 1, metricsEvery: 0 })).toThrow("train: metricsEvery 0");
  const vector = train({ ...parts, epochs: 1, loss: (model, { images }) => model.call(images) });
  await expect(collect(vector)).rejects.toThrow("train: loss has shape [4, 2]; expected a scalar");
  dispose();
});

test("accuracy counts the largest logits that are right", async () => {
  const logits = tensor([
    [1, 2],
    [3, 0],
    [0, 1],
    [5, 5],
  ]);
  const labels = tensor([1, 1, 1, 0], { dtype: "u32" });
  expect(await accuracy(logits, labels).item()).toBe(0.75);
  const hot = tensor([
    [0, 1],
    [0, 1],
    [0, 1],
    [1, 0],
  ]);
  expect(await accuracy(logits, hot).item()).toBe(0.75);
  expect(() => accuracy(logits, zeros([3], { dtype: "i32" }))).toThrow("accuracy: logits [4, 2]");
});

test("evaluateAccuracy covers the last, smaller batch and stops on a signal", async () => {
  const { model, dataset, dispose } = setup(5);
  using whole = dataset.batch(Uint32Array.from({ length: 20 }, (_, i) => i));
  const expected = await accuracy(model.call(whole.images), whole.labels).item();
  using chosen = argmax(model.call(whole.images), { axis: 1 });
  expect(chosen.shape).toEqual([20]);
  for (const batchSize of [3, 20, 1000]) {
    expect(await evaluateAccuracy(model, dataset, { batchSize })).toBeCloseTo(expected, 6);
  }
  const stopped = evaluateAccuracy(model, dataset, { signal: AbortSignal.abort() });
  await expect(stopped).rejects.toThrow(GradusError);
  await expect(stopped).rejects.toThrow(
    "evaluateAccuracy: stopped by its signal; expected to run to the end",
  );
  dispose();
});

test("evaluateAccuracy measures in evaluation mode and gives the model's mode back", async () => {
  using model = new Sequential(new Dropout(0.9, { seed: 1 }), new Linear(2, 2, { seed: 2 }));
  using dataset = xor(8);
  const plain = await evaluateAccuracy(model, dataset);
  model.train();
  expect(await evaluateAccuracy(model, dataset, { batchSize: 5 })).toBe(plain);
  expect(model.modules().every((part) => part.training)).toBe(true);
  expect(await model.state().get("0.step")?.item()).toBe(0);
});
