import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { BatchSampler, DeviceDataset } from "../../src/data/index.ts";
import {
  compile,
  type Device,
  evaluate,
  explain,
  init,
  randomNormal,
  State,
  setDefaultDevice,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { Linear, ReLU, Sequential, Sigmoid } from "../../src/nn/index.ts";
import {
  Adadelta,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  ASGD,
  cosineRestarts,
  LAMB,
  Lion,
  NAdam,
  OptimizerGroup,
  type OptimizerLike,
  type Parameters,
  RAdam,
  RMSprop,
  Rprop,
  SGD,
  WeightAverage,
} from "../../src/optim/index.ts";
import { type TrainStep, trainStep } from "../../src/train/index.ts";
import { ownDevice } from "../support/device.ts";

interface Net {
  readonly sizes: readonly number[];
  readonly batchSize: number;
  readonly activation: "sigmoid" | "relu";
  readonly optimizer: (parameters: Parameters) => OptimizerLike;
}

interface Given {
  readonly images: Tensor;
  readonly labels: Tensor;
}

const sgd = (parameters: Parameters) => new SGD(parameters, { learningRate: 0.1 });
const adam = (parameters: Parameters) => new Adam(parameters, { learningRate: 0.001 });
const A: Net = { sizes: [784, 50, 10], batchSize: 100, activation: "sigmoid", optimizer: sgd };
const B: Net = { sizes: [784, 128, 10], batchSize: 64, activation: "relu", optimizer: adam };
const C: Net = { sizes: [784, 256, 128, 10], batchSize: 128, activation: "relu", optimizer: adam };

let device: Device;
beforeAll(async () => {
  device = (await init({ device: "webgpu", tune: "off" })).device;
});
afterAll(() => device.dispose());
afterEach(() => {
  vi.useRealTimers();
});

function modelOf({ sizes, activation }: Net): Sequential {
  const layers = sizes.slice(1).flatMap((size, i) => {
    const layer = new Linear(sizes[i], size, { seed: i });
    if (i === sizes.length - 2) return [layer];
    return [layer, activation === "relu" ? new ReLU() : new Sigmoid()];
  });
  return new Sequential(...layers);
}

const loss = (model: Sequential, { images, labels }: Given) =>
  crossEntropy(model.call(images), labels);

/** A step on batches that are given. */
function onBatches(net: Net, stepsPerSubmit?: number): TrainStep<Given> {
  const model = modelOf(net);
  const optimizer = net.optimizer(model.parameters());
  return trainStep({ model, optimizer, loss, stepsPerSubmit, mirrorEvery: null });
}

/** A step that takes its batches, shuffled, from a data set on the device. */
function onData(net: Net, stepsPerSubmit?: number): TrainStep<Given> {
  const model = modelOf(net);
  const size = 10 * net.batchSize;
  const pixels = Uint8Array.from({ length: size * 784 }, (_, i) => (i * 7919) % 256);
  const labels = Uint8Array.from({ length: size }, (_, i) => i % 10);
  const data = new DeviceDataset(tensor(pixels, { shape: [size, 784] }), tensor(labels));
  const sampler = new BatchSampler({ size, batchSize: net.batchSize, seed: 1 });
  const batchAt = (step: Tensor) => data.batchAt(step, sampler);
  const optimizer = net.optimizer(model.parameters());
  const options = { batchAt, stepsPerSubmit, mirrorEvery: null };
  return trainStep<Sequential, Given>({ model, optimizer, loss, ...options });
}

function batchOf({ batchSize }: Net): Given {
  return {
    images: randomNormal([batchSize, 784], { seed: 5 }),
    labels: tensor(Int32Array.from({ length: batchSize }, (_, i) => i % 10)),
  };
}

const NOTHING = { buffers: 0, bindGroups: 0, pipelines: 0, writes: 0, reads: 0 };

test("what is captured costs its writing: no dispatch, no write, no read", async () => {
  const counts = async (capture?: string[]) => {
    const model = modelOf(A);
    const optimizer = A.optimizer(model.parameters());
    const step = trainStep({ model, optimizer, loss, mirrorEvery: null, capture });
    const batch = batchOf(A);
    for (let i = 0; i < 3; i++) await step(batch);
    const { dispatches } = await step.plans[0].stats();
    const mark = device.counters.now;
    for (let i = 0; i < 10; i++) await step(batch);
    const { writes, reads } = device.counters.since(mark);
    step.dispose();
    return { dispatches, writes, reads };
  };
  const plain = await counts();
  expect(plain.dispatches).toBeLessThanOrEqual(4);
  expect(await counts(["0", "1"])).toEqual(plain);
});

describe("dispatches of a step", () => {
  const momentum = (parameters: Parameters) =>
    new SGD(parameters, { learningRate: 0.1, momentum: 0.9, nesterov: true });
  const learningRate = 0.001;
  const rows: [string, Net, number, number][] = [
    // Title, network, dispatches on given batches, dispatches with gathering and shuffling.
    ["784-50-10 sigmoid, SGD, batch 100", A, 4, 6],
    ["784-128-10 relu, Adam, batch 64", B, 4, 6],
    ["784-256-128-10 relu, Adam, batch 128", C, 6, 8],
    ["784-128-10 relu, Nesterov, batch 64", { ...B, optimizer: momentum }, 5, 7],
    [
      "784-128-10 relu, AdamW, batch 64",
      { ...B, optimizer: (p) => new AdamW(p, { learningRate }) },
      4,
      6,
    ],
    [
      "784-128-10 relu, RMSprop, batch 64",
      { ...B, optimizer: (p) => new RMSprop(p, { learningRate }) },
      5,
      7,
    ],
  ];
  for (const [title, net, given, gathered] of rows) {
    test(title, async () => {
      for (const [plan, most] of [
        [await onBatches(net).prepare(batchOf(net)), given],
        [await onData(net).prepare(), gathered],
      ] as const) {
        const stats = await plan.stats();
        expect(stats.dispatches, await explain(plan)).toBeLessThanOrEqual(most);
        expect(stats.peakBytes).toBeLessThanOrEqual(1.25 * stats.lowerBoundBytes);
      }
    });
  }
});

describe("dispatches of a step on given batches with other optimizers", () => {
  const learningRate = 0.001;
  const restarts = cosineRestarts(0.1, { steps: 10, lengthening: 2 });
  const groupOf = (parameters: Parameters) => {
    const all = [...parameters.values()];
    return new OptimizerGroup([
      new AdamW(all.slice(0, 2), { learningRate }),
      new SGD(all.slice(2), { learningRate, momentum: 0.9 }),
    ]);
  };
  // What a kernel may bind decides how many parameters share one; LAMB waits for norms.
  const rows: [string, Net["optimizer"], number][] = [
    ["damped SGD", (p) => new SGD(p, { learningRate, momentum: 0.9, dampening: 0.9 }), 5],
    ["AMSGrad", (p) => new Adam(p, { learningRate, amsgrad: true }), 6],
    ["NAdam", (p) => new NAdam(p, { learningRate }), 4],
    ["RAdam", (p) => new RAdam(p, { learningRate }), 4],
    ["ASGD", (p) => new ASGD(p, { learningRate }), 5],
    ["Rprop", (p) => new Rprop(p, { learningRate }), 4],
    ["Adamax", (p) => new Adamax(p, { learningRate }), 4],
    ["Lion", (p) => new Lion(p, { learningRate }), 5],
    ["Adagrad", (p) => new Adagrad(p, { learningRate }), 5],
    ["Adadelta", (p) => new Adadelta(p, { learningRate }), 4],
    ["LAMB", (p) => new LAMB(p, { learningRate, weightDecay: 0.1 }), 9],
    ["SGD with cosineRestarts", (p) => new SGD(p, { learningRate: restarts }), 4],
    ["a group of AdamW and SGD", groupOf, 4],
  ];
  for (const [title, optimizer, given] of rows) {
    test(title, async () => {
      const net = { ...B, optimizer };
      const plan = await onBatches(net).prepare(batchOf(net));
      expect((await plan.stats()).dispatches, await explain(plan)).toBeLessThanOrEqual(given);
    });
  }
});

test("an average of weights is computed with the parameters that it averages", async () => {
  const model = modelOf(B);
  const optimizer = adam(model.parameters());
  const average = new WeightAverage(model.parameters(), { decay: 0.99 });
  const step = compile((batch: Given) => {
    optimizer.step(loss(model, batch));
    average.update();
  });
  const plan = await step.prepare(batchOf(B));
  expect((await plan.stats()).dispatches, await explain(plan)).toBeLessThanOrEqual(5);
});

test("kernels with workgroup memory take a dispatch or two more where that memory is small", async () => {
  const own = await ownDevice({ kernels: "workgroup" });
  for (const [net, most] of [
    [A, 5],
    [B, 7],
    [C, 10],
  ] as const) {
    const plan = await onBatches(net).prepare(batchOf(net));
    expect((await plan.stats()).dispatches, await explain(plan)).toBeLessThanOrEqual(most);
  }
  own.dispose();
  setDefaultDevice(device);
});

test("a steady step creates, uploads and reads nothing, and shares its submit", async () => {
  const step = onData(A, 8);
  await step.prepare();
  // Steps that wait are submitted when the page gets its turn, as it does now and then: not here.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  for (let i = 0; i < 3; i++) await step();
  await step.read();
  const mark = device.counters.now;
  for (let i = 0; i < 40; i++) await step();
  const counts = device.counters.since(mark);
  expect(counts).toEqual({ ...NOTHING, dispatches: 40 * 6, submits: 5 });
  const records = await step.read();
  expect(records.map((record) => record.step)).toEqual(Array.from({ length: 40 }, (_, i) => i + 3));
  expect(records.every((record) => record.loss > 0 && record.loss < 10)).toBe(true);
  expect(device.counters.since(mark)).toMatchObject({ reads: 1, submits: 6 });
});

test("steps that wait to share a submit go when the page gets its turn", async () => {
  const step = onData(A, 8);
  const none = new State(zeros([0]));
  evaluate(none);
  await step(); // what is new goes alone
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  none.assign(tensor(new Float32Array(0))); // nothing is sent
  vi.runAllTimers();
  const mark = device.counters.now;
  for (let i = 0; i < 11; i++) await step();
  expect(device.counters.since(mark).submits).toBe(1);
  vi.runAllTimers();
  expect(device.counters.since(mark)).toMatchObject({ submits: 2, dispatches: 11 * 6 });
  vi.runAllTimers();
  expect(device.counters.since(mark).submits).toBe(2);
});

test("how many steps share a submit is found by itself, never more than one submit a step", async () => {
  const step = onData({ ...A, sizes: [784, 4, 10], batchSize: 4 });
  for (let i = 0; i < 200; i++) await step();
  const mark = device.counters.now;
  for (let i = 0; i < 200; i++) await step();
  const { submits, ...rest } = device.counters.since(mark);
  expect(submits).toBeLessThanOrEqual(200);
  expect(rest).toMatchObject(NOTHING);
});

test("setting the learning rate by hand is one write and keeps the plan", async () => {
  const model = modelOf(A);
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
  const step = trainStep({ model, optimizer, loss, mirrorEvery: null });
  const batch = batchOf(A);
  for (let i = 0; i < 3; i++) await step(batch);
  const weight = [...model.parameters().values()][0];
  const before = await weight.data();
  const mark = device.counters.now;
  optimizer.learningRate = 0;
  for (let i = 0; i < 3; i++) await step(batch);
  const { dispatches, submits: _, ...rest } = device.counters.since(mark);
  // One buffer, which brings the number and is freed.
  expect({ dispatches, ...rest }).toEqual({ ...NOTHING, buffers: 1, dispatches: 12, writes: 1 });
  expect(await weight.data()).toEqual(before);
});

test("a step on a batch from the host takes one submit and keeps no more memory", async () => {
  const shared = device;
  device = await ownDevice(); // with nothing of other tests that may be reclaimed
  const step = onBatches(A, 8);
  const pixels = new Float32Array(A.batchSize * 784).fill(0.5);
  const digits = Int32Array.from({ length: A.batchSize }, (_, i) => i % 10);
  const next = async () => {
    using images = tensor(pixels, { shape: [A.batchSize, 784] });
    using labels = tensor(digits);
    await step({ images, labels });
  };
  for (let i = 0; i < 3; i++) await next();
  const { buffers, bytes } = device.memory();
  const mark = device.counters.now;
  for (let i = 0; i < 5; i++) await next();
  const counts = { ...NOTHING, buffers: 5, writes: 10, submits: 5, dispatches: 20 };
  expect(device.counters.since(mark)).toEqual(counts);
  expect(device.memory()).toMatchObject({ buffers, bytes });
  device.dispose();
  device = shared;
  setDefaultDevice(device);
});

test("a second plan serves a batch of another size", async () => {
  const step = onBatches(A);
  const last = { ...A, batchSize: 37 };
  for (const net of [A, A, last, A, last]) await step(batchOf(net));
  expect(step.plans).toHaveLength(2);
  const records = await step.read();
  expect(records).toHaveLength(5);
});

test("two runs from one seed end in the same weights, bit for bit", async () => {
  const ends: Float32Array[][] = [];
  for (let run = 0; run < 2; run++) {
    const model = modelOf(A);
    const optimizer = sgd(model.parameters());
    const step = trainStep({ model, optimizer, loss, stepsPerSubmit: run === 0 ? 1 : 7 });
    const batch = batchOf(A);
    for (let i = 0; i < 30; i++) await step(batch);
    const weights = [...model.parameters().values()].map((p) => p.data());
    ends.push((await Promise.all(weights)) as Float32Array[]);
  }
  expect(ends[0]).toEqual(ends[1]);
});

test("replays agree with steps evaluated one by one, 200 of them", async () => {
  const [replayed, eager] = [modelOf(A), modelOf(A)];
  const step = trainStep({ model: replayed, optimizer: sgd(replayed.parameters()), loss });
  const optimizer = sgd(eager.parameters());
  const batches = Array.from({ length: 4 }, (_, i) => ({
    images: randomNormal([100, 784], { seed: 50 + i }),
    labels: batchOf(A).labels,
  }));
  for (let i = 0; i < 200; i++) {
    await step(batches[i % 4]);
    using value = loss(eager, batches[i % 4]);
    optimizer.step(value);
  }
  const expected = [...eager.parameters().values()];
  for (const [k, parameter] of [...replayed.parameters().values()].entries()) {
    const want = await expected[k].data();
    const got = await parameter.data();
    const scale = Math.max(...want.map(Math.abs));
    let worst = 0;
    for (let i = 0; i < want.length; i++) worst = Math.max(worst, Math.abs(got[i] - want[i]));
    expect(worst).toBeLessThanOrEqual(1e-5 * scale);
  }
}, 120_000);
