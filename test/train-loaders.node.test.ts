import { beforeAll, describe, expect, test } from "vitest";
import { type Batch, DataLoader, TensorDataset } from "../src/data/index.ts";
import { add, type Device, evaluate, mean, mul, State, type Tensor, tensor } from "../src/index.ts";
import { Linear, type Module, Sequential } from "../src/nn/index.ts";
import { SGD } from "../src/optim/index.ts";
import {
  accumulatedStep,
  Checkpoint,
  csvLog,
  EarlyStopping,
  type EpochEvent,
  fit,
  type Loader,
  NonFiniteLossError,
  progressBar,
  type StepEvent,
  train,
} from "../src/train/index.ts";
import { testDevice } from "./support/device.ts";
import { memoryStore } from "./support/fit-outcome.ts";
import { held } from "./support/memory.ts";
import { bitsOf, smallData, smallLoss, smallRun } from "./support/small-run.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

interface Points {
  readonly x: Tensor;
}

/** A model whose loss on a batch is the mean of x, and whose weight stays. */
function meanRun() {
  const model = new Sequential(new Linear(1, 1, { seed: 1 }));
  const optimizer = new SGD(model.parameters(), { learningRate: 0 });
  const loss = (net: Module, { x }: Points) => {
    const [weight, bias] = net.parameters();
    return add(mean(x), mul(add(mean(weight), mean(bias)), 0));
  };
  return { model, optimizer, loss };
}

/** Batches of as many examples as are given values. */
const points = (...batches: number[][]): Points[] =>
  batches.map((values) => ({ x: tensor(values.map((value) => [value])) }));

describe("means count examples, not batches", () => {
  const long = Array.from({ length: 99 }, () => 1);
  const batches = [long, [0]];

  test("in events, histories, tables, monitors and progress", async () => {
    const metrics = { half: (_: Module, { x }: Points) => mul(mean(x), 0.5) };
    const steps: StepEvent[] = [];
    const lines: string[] = [];
    const shown: number[] = [];
    const watched: number[] = [];
    const monitor = ({ loss }: EpochEvent) => watched[watched.push(loss) - 1];
    const { history } = await fit({
      ...meanRun(),
      loader: points(...batches),
      metrics,
      epochs: 1,
      metricsEvery: 2,
      callbacks: [
        { onStep: (event) => void steps.push(event) },
        csvLog((line) => lines.push(line)),
        new EarlyStopping({ monitor }),
        progressBar({ update: ({ loss }) => shown.push(loss) }),
      ],
    });
    expect(history[0].loss).toBe(0.99);
    expect(history[0].metrics).toEqual({ half: 0.495 });
    expect(steps.map(({ loss, metrics }) => [loss, metrics?.half])).toEqual([[0.99, 0.495]]);
    expect(lines[1].split(",")[2]).toBe("0.99");
    expect([watched, shown]).toEqual([[0.99], [0.99]]);
  });

  test.each<[string, (values: number[]) => unknown]>([
    [
      "the size that a batch tells",
      (v) => ({ size: v.length, x: tensor(v), y: tensor([1, 2, 3]) }),
    ],
    ["a tensor's first axis", (v) => tensor(v)],
    ["the first tensor of a list", (v) => [tensor(v), tensor([1, 2, 3])]],
    ["the first tensor with an axis", (v) => ({ rate: tensor(1), pair: [tensor(v)] })],
  ])("by %s", async (_, make) => {
    const { model, optimizer } = meanRun();
    const of = (batch: unknown): Tensor => {
      const found = batch as { x?: Tensor; pair?: Tensor[] } & Tensor[] & Tensor;
      return found.x ?? found.pair?.[0] ?? found[0] ?? found;
    };
    const [weight] = model.parameters();
    const loss = (_: Module, batch: unknown) => add(mean(of(batch)), mul(mean(weight), 0));
    const loader = [make([1, 1, 1]), make([5])];
    // The bias does not matter to this loss.
    const options = { model, optimizer: new SGD([weight], { learningRate: 0 }), loss, loader };
    const { history } = await fit({ ...options, epochs: 2 });
    expect(history.map((epoch) => epoch.loss)).toEqual([2, 2]);
    optimizer.dispose();
  });

  test("a batch that does not tell counts as one", async () => {
    const { model } = meanRun();
    const [weight] = model.parameters();
    const optimizer = new SGD([weight], { learningRate: 0 });
    const loss = (_: Module, { scale }: { scale: Tensor }) => add(scale, mul(mean(weight), 0));
    const loader = [{ scale: tensor(1) }, { scale: tensor(2) }];
    const { history } = await fit({ model, optimizer, loss, loader, epochs: 1 });
    expect(history[0].loss).toBe(1.5);
  });

  test("validation, training and a loader's shorter last batch agree", async () => {
    const { model, optimizer } = meanRun();
    const x = tensor(
      Float32Array.from({ length: 7 }, (_, i) => i),
      { shape: [7, 1] },
    );
    const data = new TensorDataset({ x });
    const loader = new DataLoader({ dataset: data, batchSize: 3, seed: 1 });
    const { loss } = meanRun();
    const options = { model, optimizer, loss: (net: Module, batch: Points) => loss(net, batch) };
    const { history } = await fit({ ...options, loader, epochs: 1, validationData: data });
    expect(history[0].loss).toBe(3);
    expect(history[0].validationLoss).toBeCloseTo(3, 6);
  });
});

describe("loaders", () => {
  const given = [[1, 2], [3], [4, 5, 6]];
  const other = {
    list: () => points(...given),
    set: () => new Set(points(...given)),
    "an iterable": () => ({ [Symbol.iterator]: () => points(...given)[Symbol.iterator]() }),
    "an async iterable": () => ({
      async *[Symbol.asyncIterator]() {
        yield* points(...given);
      },
    }),
    "an object with stepsPerEpoch": (): Loader<Points> => ({
      stepsPerEpoch: 3,
      epoch: () => points(...given),
    }),
  };

  test.each(Object.entries(other))("%s of batches", async (_, make) => {
    const steps: StepEvent[] = [];
    const { history, step } = await fit({
      ...meanRun(),
      loader: make(),
      epochs: 3,
      metricsEvery: 1,
      callbacks: [{ onStep: (event) => void steps.push(event) }],
    });
    expect(history.map(({ loss }) => loss)).toEqual([3.5, 3.5, 3.5]);
    expect(step).toBe(9);
    expect(steps.map(({ loss }) => loss).slice(0, 3)).toEqual([1.5, 3, 5]);
    // Where nothing tells before how many steps an epoch has, its first reports do not know.
    expect([9, Infinity]).toContain(steps[0].steps);
    expect([steps[8].steps, steps[8].secondsLeft]).toEqual([9, 0]);
  });

  test("a list's batches stay; those of others are freed", async () => {
    const batch = () => new TensorDataset({ x: tensor([[1], [2]]) }).batch(Uint32Array.of(0, 1));
    const list = [batch(), batch()];
    await fit({ ...meanRun(), loader: list, epochs: 2 });
    expect(list.some(({ x }) => x.disposed)).toBe(false);
    const away = new Set(list);
    await fit({ ...meanRun(), loader: away, epochs: 1 });
    expect(list.every(({ x }) => x.disposed)).toBe(true);
    const own = { x: tensor([[1]]), disposed: 0, dispose: () => void own.disposed++ };
    const loader = { stepsPerEpoch: 2, epoch: () => [own, own] };
    await fit({ ...meanRun(), loader, epochs: 1 });
    expect(own.disposed).toBe(2);
  });

  test("a run from an iterable is gone on with, within its first epoch and later", async () => {
    const loader = () => new Set(points(...given));
    const straight = await fit({ ...meanRun(), loader: loader(), epochs: 3 });
    for (const steps of [2, 3, 4, 7]) {
      const to = memoryStore();
      let made = 0;
      const signal = {
        get aborted() {
          return made >= steps;
        },
      } as AbortSignal;
      const counted = {
        *[Symbol.iterator]() {
          for (const batch of loader()) {
            yield batch;
            made++;
          }
        },
      };
      const first = { loader: counted, epochs: 3, signal, callbacks: [new Checkpoint({ to })] };
      const cut = await fit({ ...meanRun(), ...first });
      expect(cut.step).toBe(steps);
      const resume = await to.read();
      const rest = await fit({ ...meanRun(), loader: loader(), epochs: 3, resume });
      expect(rest.step).toBe(9);
      const losses = (epochs: readonly EpochEvent[]) => epochs.map(({ loss }) => loss);
      expect(losses(rest.history)).toEqual(losses(straight.history));
    }
  });

  test.each<[string, () => unknown, string]>([
    ["no batches", () => [], "fit: loader with no batches; expected at least one"],
    ["undefined", () => undefined, "fit: loader undefined; expected a DataLoader, a list"],
    ["null", () => null, "fit: loader null; expected a DataLoader"],
    ["text", () => "batches", 'fit: loader "batches"; expected a DataLoader'],
    ["a data set", () => smallData(3), "fit: loader a DeviceDataset; expected a DataLoader"],
    [
      "a loader of no steps",
      () => ({ stepsPerEpoch: 0, epoch: () => [] }),
      "fit: a loader with stepsPerEpoch 0; expected an integer from 1",
    ],
    [
      "a loader that does not tell",
      () => ({ epoch: () => [] }),
      "fit: a loader with stepsPerEpoch undefined; expected an integer from 1",
    ],
    [
      "a promise of batches",
      () => ({ stepsPerEpoch: 1, epoch: async () => points([1]) }),
      "fit: loader gave a Promise for epoch 0; expected an iterable of batches",
    ],
    [
      "fewer batches",
      () => ({ stepsPerEpoch: 4, epoch: () => points(...given) }),
      "fit: loader gave 3 batches in epoch 0; expected 4, as many in each epoch",
    ],
    [
      "more batches",
      () => ({ stepsPerEpoch: 2, epoch: () => points(...given) }),
      "fit: loader gave more than 2 batches in epoch 0; expected 2, as many in each epoch",
    ],
    [
      "an iterable of nothing",
      () => new Set(),
      "fit: loader gave 0 batches in epoch 0; expected at least one",
    ],
    [
      "one generator for two epochs",
      () => points(...given).values(),
      "fit: loader gave 0 batches in epoch 1; expected 3, as many in each epoch",
    ],
  ])("are refused with what is wrong: %s", async (_, make, message) => {
    const loader = make() as Points[];
    await expect(fit({ ...meanRun(), loader, epochs: 2 })).rejects.toThrow(message);
  });

  test("a batch too many is not trained on, and is freed with its source closed", async () => {
    let closed = false;
    const all = points(...given).map(({ x }) => ({ x, dispose: () => x.dispose() }));
    const loader: Loader<Points> = {
      stepsPerEpoch: 2,
      *epoch() {
        try {
          yield* all;
        } finally {
          closed = true;
        }
      },
    };
    const run = { ...meanRun(), loader };
    const states = [...run.model.state().values(), ...run.optimizer.state().values()];
    evaluate(...states, run.optimizer.rate, ...all.map(({ x }) => x));
    const before = held(device);
    await expect(fit({ ...run, epochs: 1 })).rejects.toThrow("more than 2 batches");
    expect([closed, all.map(({ x }) => x.disposed)]).toEqual([true, [true, true, true]]);
    expect(held(device)).toBe(before - 3);
  });

  test("a loop over a loader gives one epoch, the next loop the next", async () => {
    const loader = new DataLoader({ dataset: smallData(10), batchSize: 4, seed: 2 });
    const labels = async (batches: AsyncIterable<Batch>) => {
      const all: unknown[] = [];
      for await (const batch of batches) {
        all.push(...((await batch.images.toArray()) as unknown[]));
        batch.dispose();
      }
      return all;
    };
    const looped = [await labels(loader), await labels(loader)];
    expect(looped[0]).toHaveLength(10);
    expect(looped).toEqual([await labels(loader.epoch(0)), await labels(loader.epoch(1))]);
    expect(looped[0]).not.toEqual(looped[1]);
  });
});

describe("a loss that is not finite", () => {
  const losses = (...values: number[]) => points(...values.map((value) => [value]));
  const bad = (at: number, value: number, count = 12) =>
    losses(...Array.from({ length: count }, (_, i) => (i === at ? value : 1)));

  test.each([
    [0, Number.NaN],
    [4, Number.POSITIVE_INFINITY],
    [11, Number.NEGATIVE_INFINITY],
  ])("stops a run at step %d with %d", async (at, value) => {
    for (const metricsEvery of [1, 3, 100]) {
      const loader = bad(at, value);
      const error = await fit({ ...meanRun(), loader, epochs: 2, metricsEvery }).catch((e) => e);
      expect(error).toBeInstanceOf(NonFiniteLossError);
      expect([error.step, error.epoch, error.loss]).toEqual([at + 1, 0, value]);
      expect(error.stepsMade).toBeGreaterThanOrEqual(error.step);
      const read = error.stepsMade > error.step ? `, read after step ${error.stepsMade}` : "";
      expect(error.message).toBe(
        `fit: loss ${value} at step ${at + 1} in epoch 0${read}; expected a finite number. ` +
          'Lower the learning rate, clip the gradients, or go on with onNonFinite: "ignore"',
      );
    }
  });

  test("is told of by train, in the epoch in which it was", async () => {
    const loader: Loader<Points> = {
      stepsPerEpoch: 3,
      epoch: (epoch) => (epoch === 1 ? bad(1, Number.NaN, 3) : losses(1, 1, 1)),
    };
    const seen: string[] = [];
    const going = (async () => {
      for await (const { event, step } of train({ ...meanRun(), loader, epochs: 4 })) {
        seen.push(`${event} ${step}`);
      }
    })();
    await expect(going).rejects.toThrow("train: loss NaN at step 5 in epoch 1, read after step 6;");
    expect(seen).toEqual(["epoch 3"]);
  });

  test("is never saved", async () => {
    const to = memoryStore();
    const callbacks = [new Checkpoint({ to, every: { steps: 1 } })];
    const loader = bad(6, Number.NaN);
    const going = fit({ ...meanRun(), loader, epochs: 1, metricsEvery: 1, callbacks });
    await expect(going).rejects.toThrow("loss NaN at step 7 in epoch 0");
    const { step } = await fit({ ...meanRun(), loader, epochs: 0, resume: await to.read() });
    expect(step).toBeLessThanOrEqual(6);
  });

  test("is passed over where that is asked for", async () => {
    const loader = bad(2, Number.NaN);
    const { history } = await fit({
      ...meanRun(),
      loader,
      epochs: 2,
      onNonFinite: "ignore",
      callbacks: [new Checkpoint({ to: memoryStore() })],
    });
    expect(history.map(({ loss }) => loss)).toEqual([Number.NaN, Number.NaN]);
  });

  test("of held-out examples, or a metric, stops nothing", async () => {
    const metrics = { bad: () => tensor(Number.NaN) };
    const validationData = new TensorDataset({ x: tensor([[Number.NaN]]) });
    const run = { ...meanRun(), loader: losses(1), metrics, validationData, epochs: 1 };
    const { history } = await fit<Module, Points>(run);
    expect([history[0].loss, history[0].validationLoss]).toEqual([1, Number.NaN]);
  });
});

describe("accumulation at the end of an epoch", () => {
  /** Weight w, whose gradient on a batch c is c. */
  const sums = () => {
    const model = new Sequential(
      new Linear(1, 1, { bias: false, weightInit: () => tensor([[0]]) }),
    );
    const [weight] = model.parameters();
    const optimizer = new SGD([weight], { learningRate: 1 });
    const loss = (_: Module, c: Tensor) => weight.mul(c).sum();
    return { model, optimizer, loss, weight };
  };
  const batches = (...values: number[]) => values.map((value) => tensor([value]));

  test.each([
    [1, [-1, -2, -4, -8, -16], -31],
    [2, [1, 2, 4, 8, 16], 3 / 2 + 12 / 2 + 16],
    [3, [1, 2, 4, 8, 16], 7 / 3 + 24 / 2],
    [4, [1, 2, 4, 8, 16], 15 / 4 + 16],
    [5, [1, 2, 4, 8, 16], 31 / 5],
    [9, [1, 2, 4, 8, 16], 31 / 5],
  ])("applies what %d batches a change leave over", async (accumulate, values, expected) => {
    const { weight, ...run } = sums();
    let after = 0;
    const count = new State(tensor(0));
    const options = {
      ...run,
      loader: batches(...values),
      epochs: 2,
      accumulate,
      after: () => {
        after++;
        count.assign(add(count, 1));
      },
    };
    await fit<Module, Tensor>(options);
    expect(await weight.item()).toBeCloseTo(-2 * expected, 5);
    const changes = 2 * Math.ceil(values.length / accumulate);
    expect(await run.optimizer.counter.item()).toBe(changes);
    expect(await count.item()).toBe(changes);
    expect(after).toBeLessThanOrEqual(2);
  });

  test("is there for loops of one's own, in turn with calls that wait for nothing", async () => {
    const { weight, ...run } = sums();
    const step = accumulatedStep<Module, Tensor>({ ...run, accumulate: 3 });
    await step.flush(); // nothing is pending
    expect([step.pending, step.next]).toEqual([0, 0]);
    const [a, b, c, d] = batches(1, 2, 4, 8);
    const calls = [step(a), step(b), step.flush(), step(c), step.flush(), step(d)];
    expect(step.pending).toBe(1);
    await Promise.all(calls);
    expect(await weight.item()).toBeCloseTo(-(3 / 2 + 4), 5);
    expect([step.next, await run.optimizer.counter.item()]).toEqual([4, 2]);
    await step.flush();
    expect(await weight.item()).toBeCloseTo(-(3 / 2 + 4 + 8), 5);
    expect((await step.read()).map((record) => record.step)).toEqual([0, 1, 2, 3]);
    step.seek(7, 2);
    expect([step.next, step.pending]).toEqual([7, 2]);
    step.seek(7);
    expect(step.pending).toBe(1);
    for (const pending of [-1, 3, 0.5]) {
      expect(() => step.seek(7, pending)).toThrow(
        `accumulatedStep: ${pending} batches pending; expected an integer from 0 to 2`,
      );
    }
    expect(step.plans.length).toBeGreaterThan(3);
    const tensors = held(device);
    step.dispose();
    expect(held(device)).toBeLessThan(tensors);
  });
});

describe("startStep", () => {
  test("goes on within an epoch and after it, with the batches that are left", async () => {
    const seen: unknown[] = [];
    const loader: Loader<Points> = {
      stepsPerEpoch: 3,
      epoch: (epoch) => points([10 * epoch], [10 * epoch + 1], [10 * epoch + 2]),
    };
    for (const startStep of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const run = { ...meanRun(), loader, epochs: 2, metricsEvery: 1, startStep };
      const losses: number[] = [];
      for await (const report of train(run)) {
        if (report.event === "step") losses.push(report.loss);
        else seen.push([startStep, report.epoch, report.loss, report.step]);
      }
      expect(losses).toEqual([0, 1, 2, 10, 11, 12].slice(startStep));
    }
    expect(seen).toEqual([
      [0, 0, 1, 3],
      [0, 1, 11, 6],
      [1, 0, 1.5, 3],
      [1, 1, 11, 6],
      [2, 0, 2, 3],
      [2, 1, 11, 6],
      [3, 1, 11, 6],
      [4, 1, 11.5, 6],
      [5, 1, 12, 6],
    ]);
  });

  test("is refused where it is not known what it means", () => {
    const run = { ...meanRun(), epochs: 2 };
    const loader = points([1], [2], [3], [4], [5]);
    expect(() => train({ ...run, loader: new Set(loader), startStep: 1 })).toThrow(
      "train: startStep 1 with an iterable that does not tell its length; expected a list or",
    );
    expect(() => train({ ...run, loader, startStep: 8, accumulate: 2 })).toThrow(
      "train: startStep 8, 3 steps into an epoch, with accumulate 2; expected a step at which",
    );
    expect(() => train({ ...run, loader, startStep: 7, accumulate: 2 })).not.toThrow();
    expect(() => train({ ...run, loader, startStep: 5, accumulate: 3 })).not.toThrow();
  });

  test("begins a change of its own with accumulate", async () => {
    const straight = smallRun(0.05);
    for await (const _ of train({ ...straight, epochs: 2, accumulate: 3 }));
    const run = smallRun(0.05);
    for await (const _ of train({ ...run, epochs: 1, accumulate: 3 }));
    for await (const _ of train({ ...run, epochs: 2, accumulate: 3, startStep: 4 }));
    expect(await bitsOf(run)).toEqual(await bitsOf(straight));
    expect(smallLoss).toBe(run.loss);
  });
});
