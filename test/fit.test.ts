import { beforeAll, expect, test } from "vitest";
import { type Batch, DataLoader } from "../src/data/index.ts";
import type { Store } from "../src/io/index.ts";
import { accuracy } from "../src/metrics/index.ts";
import type { Module } from "../src/nn/index.ts";
import { Adam, OptimizerGroup, ReduceOnPlateau, SGD, WeightAverage } from "../src/optim/index.ts";
import {
  type Callback,
  Checkpoint,
  csvLog,
  EarlyStopping,
  type EpochEvent,
  type FitOptions,
  fit as fitModel,
  onMetric,
  type StepEvent,
} from "../src/train/index.ts";
import { testDevice } from "./support/device.ts";
import { bitsOf, smallData, smallRun, smallSchedule } from "./support/small-run.ts";

beforeAll(() => testDevice());

type Bytes = Uint8Array<ArrayBuffer>;
type Options = Partial<FitOptions<Module, Batch>>;

/** Keeps all that was written to it. */
function memoryStore(): Store & { readonly written: Bytes[] } {
  const written: Bytes[] = [];
  return {
    written,
    read: async () => written.at(-1) ?? null,
    write: async (bytes) => void written.push(bytes),
  };
}

const metrics = {
  accuracy: (net: Module, { images, labels }: Batch) => accuracy(net.call(images), labels),
};

/** Reports without what differs from run to run. */
function withoutTimes<T extends StepEvent | EpochEvent>(events: readonly T[]): T[] {
  return events.map((event) => {
    return { ...event, stepsPerSecond: 0, secondsLeft: 0 };
  });
}

/** A run of two epochs of some steps: bits, history and the reports of its steps. */
async function outcome(make: () => ReturnType<typeof smallRun>, options: Options) {
  const run = make();
  const steps: StepEvent[] = [];
  const note = { onStep: (event: StepEvent) => void steps.push(event) };
  const { history, step, stopped } = await fitModel<Module, Batch>({
    ...run,
    epochs: 2,
    metrics,
    metricsEvery: 1,
    validationData: smallData(7, 20),
    ...options,
    callbacks: [note, ...(options.callbacks ?? [])],
  });
  return {
    bits: await bitsOf(run),
    history: withoutTimes(history),
    steps: withoutTimes(steps),
    step,
    stopped,
  };
}

test("a run that goes on after an epoch ends with the same bits as one that was not interrupted", async () => {
  for (const learningRate of [undefined, 0.02]) {
    const make = () => smallRun(learningRate);
    const straight = await outcome(make, {});
    const to = memoryStore();
    const first = await outcome(make, { epochs: 1, callbacks: [new Checkpoint({ to })] });
    expect(to.written).toHaveLength(1);
    const second = await outcome(make, {
      callbacks: [new Checkpoint({ to })],
      resume: await to.read(),
    });
    expect(second.bits).toEqual(straight.bits);
    expect(second.history).toEqual(straight.history);
    // The number of steps to go was another in the first run.
    const steps = first.steps.map((event) => ({ ...event, steps: 8 }));
    expect([...steps, ...second.steps]).toEqual(straight.steps);
    expect([second.step, second.stopped]).toEqual([8, false]);
  }
});

/** Runs of batches on the device's own counter, of batches from the host, of sums of gradients. */
const KINDS: [string, number, Options][] = [
  ["batches that steps take themselves", 2, {}],
  ["batches of the loader, the last one shorter", 3, {}],
  ["gradients of several batches", 2, { accumulate: 3 }],
];

test.each(KINDS)("a run may go on within an epoch: %s", async (_, batchSize, options) => {
  const make = () => smallRun(undefined, batchSize);
  const spread = { ...options, metricsEvery: 2 };
  const straight = await outcome(make, spread);
  const to = memoryStore();
  const save = () => new Checkpoint({ to, every: { steps: 3 } });
  const saving = await outcome(make, { ...spread, callbacks: [save()] });
  expect(saving).toEqual(straight);
  expect(to.written.length).toBeGreaterThan(1);
  const written = to.written.slice();
  for (const resume of written) {
    const again = await outcome(make, { ...spread, resume, callbacks: [save()] });
    expect(again.bits).toEqual(straight.bits);
    expect(again.history).toEqual(straight.history);
    expect(again.steps).toEqual(straight.steps.slice(straight.steps.length - again.steps.length));
  }
});

test("a run that a signal stops is saved where it stands", async () => {
  const straight = await outcome(smallRun, {});
  const controller = new AbortController();
  const to = memoryStore();
  const stop = { onStep: ({ step }: StepEvent) => void (step >= 2 && controller.abort()) };
  const stopped = await outcome(smallRun, {
    signal: controller.signal,
    callbacks: [new Checkpoint({ to, every: { epochs: 2 } }), stop],
  });
  expect(stopped.stopped).toBe(true);
  expect(stopped.step).toBeLessThan(8);
  const resumed = await outcome(smallRun, {
    resume: await to.read(),
    callbacks: [new Checkpoint({ to })],
  });
  expect(resumed.bits).toEqual(straight.bits);
  expect(resumed.history).toEqual(straight.history);
});

test("the history has losses and metrics, on batches and on held-out examples", async () => {
  const { history } = await outcome(smallRun, { trainData: smallData(20), testData: smallData(9) });
  expect(history.map(({ epoch, step }) => [epoch, step])).toEqual([
    [0, 4],
    [1, 8],
  ]);
  const [first] = history;
  expect(first.loss).toBeGreaterThan(0.5);
  expect(first.metrics?.accuracy).toBeGreaterThan(0);
  expect(first.validationLoss).toBeGreaterThan(0.5);
  expect(Object.keys(first.validationMetrics ?? {})).toEqual(["accuracy"]);
  for (const share of [
    first.trainAccuracy,
    first.testAccuracy,
    first.validationMetrics?.accuracy,
  ]) {
    expect(share).toBeGreaterThanOrEqual(0);
    expect(share).toBeLessThanOrEqual(1);
  }
});

test("the loss on held-out examples counts a shorter last batch by its examples", async () => {
  const run = smallRun();
  const validationData = smallData(11, 20);
  const result = await fitModel<Module, Batch>({
    ...run,
    epochs: 1,
    validationData,
    evaluationBatchSize: 4,
  });
  using all = validationData.batch(Uint32Array.from({ length: 11 }, (_, i) => i));
  const expected = await run.loss(run.model, all).item();
  expect(result.history[0].validationLoss).toBeCloseTo(expected, 6);
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
  const result = await fitModel<Module, Batch>(options);
  expect(result.history).toHaveLength(4); // 2.95 is never reached
  expect([stopping.bestEpoch, stopping.bestValue, result.stopped]).toEqual([1, 3, true]);
  expect(await weights()).toEqual(seen[1]);
  expect(seen[1]).not.toEqual(seen[3]);
});

test("an early stop that is resumed stops at the same epoch with the same states", async () => {
  const values = [5, 3, 4, 3.5, 2.5];
  const stopping = () =>
    new EarlyStopping({ monitor: ({ epoch }) => values[epoch], patience: 2, restoreBest: true });
  const straight = await outcome(smallRun, { epochs: 5, callbacks: [stopping()] });
  expect(straight.history).toHaveLength(4);
  const to = memoryStore();
  const callbacks = () => [new Checkpoint({ to }), stopping()];
  await outcome(smallRun, { epochs: 5, callbacks: callbacks() });
  expect(to.written).toHaveLength(4);
  for (const resume of to.written.slice(0, 3)) {
    const again = await outcome(smallRun, { epochs: 5, callbacks: callbacks(), resume });
    expect(again.bits).toEqual(straight.bits);
    expect(again.history).toEqual(straight.history);
  }
});

test("more is better for accuracies and by choice; NaN never is", async () => {
  const stopsAt = async (values: number[], mode?: "max") => {
    const monitor = ({ epoch }: EpochEvent) => values[epoch];
    const stopping = new EarlyStopping({ monitor, patience: 1, mode });
    const { history } = await fitModel({
      ...smallRun(),
      epochs: values.length,
      callbacks: [stopping],
    });
    return history.length;
  };
  expect(await stopsAt([1, 2, 3], "max")).toBe(3);
  expect(await stopsAt([1, 2, 3])).toBe(2);
  expect(await stopsAt([Number.NaN, 2, 1])).toBe(1);
  const stopping = new EarlyStopping({ monitor: "testAccuracy", patience: 50 });
  const run = smallRun(0.05);
  await fitModel({ ...run, epochs: 20, testData: smallData(20), callbacks: [stopping] });
  expect(stopping.bestValue).toBeGreaterThan(0.5);
});

test("the best model is saved apart from the run", async () => {
  const values = [3, 1, 2];
  const best = memoryStore();
  const monitor = ({ epoch }: EpochEvent) => values[epoch];
  await fitModel({ ...smallRun(), epochs: 3, callbacks: [new Checkpoint({ best, monitor })] });
  expect(best.written).toHaveLength(2);
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
    const kept: Callback = { name: "average", state: () => average.state() };
    const callbacks = [onMetric(plateau, () => 1), kept, new Checkpoint({ to })];
    const after = () => average.update();
    await fitModel<Module, Batch>({ ...run, model, optimizer, after, epochs, callbacks, resume });
    lowered.push(members[0].learningRate as number);
    const states = [...model.state(), ...optimizer.state(), ...average.state()];
    const bits = await Promise.all(states.map(async ([, x]) => Array.from(await x.data())));
    return { bits, bytes: await to.read(), averages: await average.averages[0].data() };
  };
  const straight = await grouped(6);
  const half = await grouped(3);
  const resumed = await grouped(6, half.bytes);
  expect(resumed.bits).toEqual(straight.bits);
  expect(resumed.bytes).toHaveLength(straight.bytes?.length ?? 0);
  expect(resumed.averages.some((x) => x !== 0)).toBe(true);
  expect(lowered).toEqual([0.125, 0.25, 0.125]);
});

test("a listener learns of each epoch's number, and a table is written", async () => {
  const seen: number[] = [];
  const lines: string[] = [];
  const callbacks = [
    onMetric({ update: (x) => seen.push(x) }, "loss"),
    csvLog((line) => lines.push(line)),
  ];
  const { history } = await outcome(smallRun, { callbacks });
  expect(seen).toEqual(history.map(({ loss }) => loss));
  expect(lines).toHaveLength(3);
  expect(lines[0]).toBe(
    "epoch,step,loss,validationLoss,stepsPerSecond,accuracy,validation accuracy\n",
  );
  const [epoch, step, loss] = lines[2].split(",").map(Number);
  expect([epoch, step, loss]).toEqual([1, 8, history[1].loss]);
});

test("callbacks are called in turn, and disposed after an error too", async () => {
  const calls: string[] = [];
  const note = (name: string, isLast = false) => ({
    isLast,
    onStart: () => void calls.push(`start ${name}`),
    onEpoch: async () => void calls.push(`epoch ${name}`),
    onEnd: () => void calls.push(`end ${name}`),
    dispose: () => void calls.push(`dispose ${name}`),
  });
  const run = smallRun();
  await fitModel({ ...run, epochs: 1, callbacks: [note("b", true), note("a")] });
  expect(calls.join()).toBe("start a,start b,epoch a,epoch b,end a,end b,dispose a,dispose b");
  calls.length = 0;
  const failing = { onEpoch: () => Promise.reject(new Error("no epoch")) };
  const failed = fitModel({ ...run, epochs: 1, callbacks: [note("a"), failing] });
  await expect(failed).rejects.toThrow("no epoch");
  expect(calls).toEqual(["start a", "epoch a", "dispose a"]);
});

test("mistakes are told", async () => {
  const run = smallRun();
  await expect(fitModel({ ...run, epochs: 1, callbacks: [new EarlyStopping()] })).rejects.toThrow(
    "EarlyStopping: no validationLoss in epoch 0; expected one. " +
      "Give fit the data to measure it on, or watch another number",
  );
  await expect(fitModel({ ...run, epochs: 0.5 })).rejects.toThrow("train: epochs 0.5; expected");
  const loader = new DataLoader({ dataset: smallData(20), batchSize: 5 });
  await expect(fitModel({ ...run, loader, epochs: 1, accumulate: 0 })).rejects.toThrow(
    "accumulatedStep: accumulate 0; expected an integer from 1",
  );
  expect(() => new EarlyStopping({ patience: 0 })).toThrow("EarlyStopping: patience 0; expected");
  expect(() => new EarlyStopping({ minDelta: -1 })).toThrow("EarlyStopping: minDelta -1; expected");
  expect(() => new Checkpoint({})).toThrow("Checkpoint: no store; expected to or best");
  expect(() => new Checkpoint({ to: memoryStore(), every: { steps: 0 } })).toThrow(
    "Checkpoint: every 0 steps; expected an integer from 1",
  );
});
