import { beforeAll, expect, test } from "vitest";
import type { Batch } from "../../src/data/index.ts";
import { add, cast, State, tensor } from "../../src/index.ts";
import type { Module } from "../../src/nn/index.ts";
import {
  Adam,
  OptimizerGroup,
  ReduceOnPlateau,
  SGD,
  WeightAverage,
} from "../../src/optim/index.ts";
import {
  Checkpoint,
  EarlyStopping,
  evaluateAccuracy,
  evaluateMeans,
  fit,
  NonFiniteLossError,
  onMetric,
} from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import {
  type Bytes,
  expectResumable,
  memoryStore,
  metrics,
  outcome,
} from "../support/fit-outcome.ts";
import { held } from "../support/memory.ts";
import { bitsOf, smallData, smallRun, smallSchedule } from "../support/small-run.ts";

beforeAll(() => testDevice());

test("a run that goes on ends with the same bits as one that was not interrupted", async () => {
  const straight = await outcome(smallRun, {});
  const to = memoryStore();
  const callbacks = () => [new Checkpoint({ to })];
  const first = await outcome(smallRun, { epochs: 1, callbacks: callbacks() });
  expect(to.written).toHaveLength(1);
  const resume = await to.read();
  const second = await outcome(smallRun, { callbacks: callbacks(), resume });
  expect(second.bits).toEqual(straight.bits);
  expect(second.history).toEqual(straight.history);
  // The number of steps to go was another in the first run.
  const steps = first.steps.map((event) => ({ ...event, steps: 8 }));
  expect([...steps, ...second.steps]).toEqual(straight.steps);
  expect([second.step, second.stopped]).toEqual([8, false]);
});

test("a run may go on within an epoch, and among the batches of one change", async () => {
  await expectResumable(5, { accumulate: 3 });
});

test("means over held-out examples count a shorter last batch by its examples", async () => {
  const { model, loss } = smallRun();
  const dataset = smallData(11, 20);
  model.train(); // in which it would drop
  const means = await evaluateMeans(model, dataset, { loss, ...metrics }, { batchSize: 4 });
  expect(model.training).toBe(true);
  model.eval();
  using all = dataset.batch(Uint32Array.from({ length: 11 }, (_, i) => i));
  expect(means.loss).toBeCloseTo(await loss(model, all).item(), 6);
  expect(means.accuracy).toBeCloseTo(await evaluateAccuracy(model, dataset), 6);
  const signal = AbortSignal.abort();
  await expect(evaluateMeans(model, dataset, { loss }, { signal })).rejects.toThrow(
    "evaluateMeans: stopped by its signal",
  );
});

test("measuring changes no state, not even what the loss assigns", async () => {
  const { loss, ...run } = smallRun();
  const calls = new State(tensor(0));
  const counting = (net: Module, batch: Batch) => {
    calls.assign(add(calls, 1));
    return add(loss(net, batch), calls);
  };
  const count = (_: Module, { labels }: Batch) => tensor(labels.size, { dtype: "i32" });
  const { history } = await fit<Module, Batch>({
    ...run,
    loss: counting,
    metrics: { count },
    epochs: 2,
    validationData: smallData(6, 20),
    evaluationBatchSize: 3,
  });
  expect(await calls.item()).toBe(8);
  const [, { loss: mean, validationLoss, validationMetrics }] = history;
  expect(mean).toBeGreaterThan(6.5); // (5 + 6 + 7 + 8) / 4 and the loss
  expect(validationLoss).toBeGreaterThan(9); // 9 as in the next step
  expect(validationMetrics).toEqual({ count: 3 });
});

test("a run leaves nothing behind", async () => {
  const device = await testDevice();
  const run = smallRun();
  const validationData = smallData(7, 20);
  const once = async (epochs: number) => {
    await fit<Module, Batch>({
      ...run,
      epochs,
      validationData,
      metrics,
      accumulate: 2,
      callbacks: [new EarlyStopping({ restoreBest: true }), new Checkpoint({ to: memoryStore() })],
    });
    return held(device);
  };
  const first = await once(1);
  expect(await once(3)).toBe(first);
});

test("training stops when the watched number stays, and the best states come back", async () => {
  const values = [5, 3, 4, 3.5, 2.95, 9];
  const seen: number[][][] = [];
  const run = smallRun();
  const stopping = new EarlyStopping({
    monitor: ({ epoch }) => values[epoch],
    patience: 2,
    minDelta: 0.1,
    restoreBest: true,
  });
  const weights = async () => (await bitsOf(run)).slice(0, run.model.state().size);
  const note = { onEpoch: async () => void seen.push(await weights()) };
  const options = { ...run, epochs: 6, callbacks: [note, stopping] };
  const result = await fit<Module, Batch>(options);
  expect(result.history).toHaveLength(4); // 2.95 is never reached
  expect([stopping.bestEpoch, stopping.bestValue, result.stopped]).toEqual([1, 3, true]);
  expect(await weights()).toEqual(seen[1]);
  expect(seen[1]).not.toEqual(seen[3]);
});

test("rates that were lowered, members of a group and an average of weights go on too", async () => {
  const lowered: number[] = [];
  const grouped = async (epochs: number, resume?: Bytes | null, to = memoryStore()) => {
    const { optimizer: _, model, ...run } = smallRun();
    const [first, ...others] = model.parameters();
    const members = [
      new SGD([first], { learningRate: 0.5, momentum: 0.9 }),
      new Adam(others, { learningRate: smallSchedule }),
    ];
    const optimizer = new OptimizerGroup(members);
    const average = new WeightAverage(model.parameters(), { decay: 0.5 });
    const plateau = new ReduceOnPlateau(members[0], { patience: 1, factor: 0.5 });
    const callbacks = [onMetric(plateau, () => 1), new Checkpoint({ to })];
    const after = () => average.update();
    const parts = { model, optimizer, after, extra: { average } };
    await fit<Module, Batch>({ ...run, ...parts, epochs, callbacks, resume });
    lowered.push(members[0].learningRate as number);
    const states = [...model.state(), ...optimizer.state(), ...average.state()];
    const bits = await Promise.all(states.map(async ([, x]) => Array.from(await x.data())));
    return { bits, bytes: await to.read(), averages: await average.averages[0].data() };
  };
  const straight = await grouped(6);
  const half = await grouped(3);
  const resumed = await grouped(6, half.bytes);
  expect(resumed.bits).toEqual(straight.bits);
  expect(resumed.averages.some((x) => x !== 0)).toBe(true);
  expect(lowered).toEqual([0.125, 0.25, 0.125]);
});

test("a loss that is not finite ends the run, and tells which step's it was", async () => {
  const { model, optimizer, loss } = smallRun();
  const one = (scale: number) => ({
    images: tensor([[1, 2, 3, 4, 5, scale]]),
    labels: tensor([1]),
  });
  const loader = Array.from({ length: 9 }, (_, i) => one(i === 4 ? Number.NaN : i));
  const options = {
    model,
    optimizer,
    loader,
    loss: (net: Module, { images, labels }: (typeof loader)[0]) =>
      loss(net, { images, labels: cast(labels, "i32") } as Batch),
  };
  const error = await fit({ ...options, epochs: 3, metricsEvery: 1 }).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(NonFiniteLossError);
  expect([error.step, error.epoch, error.loss]).toEqual([5, 0, Number.NaN]);
  expect(error.stepsMade).toBeLessThan(9);
});
