import { beforeAll, describe, expect, test, vi } from "vitest";
import { DataLoader, TensorDataset } from "../../src/data/index.ts";
import { add, type Device, mean, mul, State, type Tensor, tensor } from "../../src/index.ts";
import { Linear, type Module, Sequential } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { sumBatches } from "../../src/train/evaluate.ts";
import {
  accumulatedStep,
  Checkpoint,
  csvLog,
  EarlyStopping,
  type EpochEvent,
  evaluateMeans,
  fit,
  type Loader,
  NonFiniteLossError,
  progressBar,
  type StepEvent,
  train,
} from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { memoryStore } from "../support/fit-outcome.ts";
import { meanRun, type Points, points } from "../support/mean-run.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

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
      (v) => ({ size: v.length, y: tensor([1, 2, 3]), x: tensor(v) }),
    ],
    ["a tensor's first axis", (v) => tensor(v)],
    ["the first tensor of a list", (v) => [tensor(v), tensor([1, 2, 3])]],
    ["its first tensor, if its size is none", (v) => ({ size: 1.5, x: tensor(v) })],
    [
      "the first tensor of objects in one",
      (v) => ({ more: { x: tensor(v) }, y: tensor([1, 2, 3]) }),
    ],
    ["the first tensor with an axis", (v) => ({ rate: tensor(1), pair: [tensor(v)] })],
  ])("by %s", async (_, make) => {
    const { model, optimizer } = meanRun();
    const of = (batch: unknown): Tensor => {
      const found = batch as { x?: Tensor; more?: { x: Tensor }; pair?: Tensor[] } & Tensor[] &
        Tensor;
      return found.x ?? found.more?.x ?? found.pair?.[0] ?? found[0] ?? found;
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

  test("of an epoch without a report, however long", async () => {
    const values = Array.from({ length: 1500 }, (_, i) => [i]);
    const loader = points(...values);
    const { history } = await fit({ ...meanRun(), loader, epochs: 1, metricsEvery: 1e6 });
    expect(history[0].loss).toBe(749.5);
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
      expect(error.name).toBe("NonFiniteLossError");
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

  test("counts no batch that failed", async () => {
    const { weight, loss, ...run } = sums();
    let fails = false;
    const failing = (net: Module, c: Tensor) => {
      if (fails) throw new Error("no gradient");
      return loss(net, c);
    };
    const step = accumulatedStep<Module, Tensor>({ ...run, loss: failing, accumulate: 2 });
    const [a, b] = batches(1, 2);
    await step(a);
    fails = true;
    await expect(step(tensor([1, 1]))).rejects.toThrow("no gradient");
    expect([step.next, step.pending]).toEqual([1, 1]);
    fails = false;
    await step(b);
    expect(await weight.item()).toBeCloseTo(-1.5, 5);
    expect([step.next, step.pending]).toEqual([2, 0]);
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
    expect(step.plans).toEqual([]);
  });
});

test("means keep the digits of the metrics that have most", async () => {
  const { model } = meanRun();
  const data = new TensorDataset({ x: tensor([[1]]) });
  const exact = () => tensor(0.1, { dtype: "f64" });
  const means = await evaluateMeans(model, data, { rounded: () => tensor(0.1), exact });
  expect(means).toEqual({ rounded: Math.fround(0.1), exact: 0.1 });
  expect(await evaluateMeans(model, data, { exact })).toEqual({ exact: 0.1 });
});

test("some batches are measured at once, few enough, and none is left under way", async () => {
  const data = new TensorDataset({ x: tensor(new Float32Array(20), { shape: [20, 1] }) });
  const run = async (fails: number) => {
    const open = new Set<number>();
    const most: number[] = [];
    let calls = 0;
    const measure = async () => {
      const call = calls++;
      open.add(call);
      most.push(open.size);
      await new Promise((resolve) => setTimeout(resolve, 3));
      open.delete(call);
      if (call === fails) throw new Error("fails");
      return [1, call];
    };
    const sums = await sumBatches("test", data, { batchSize: 1 }, measure).catch((error) => error);
    return { sums, most: Math.max(...most), open: open.size, calls };
  };
  expect(await run(-1)).toEqual({ sums: [20, 190], most: 5, open: 0, calls: 20 });
  const failed = await run(2);
  expect(failed.sums).toEqual(new Error("fails"));
  expect([failed.most, failed.open, failed.calls < 20]).toEqual([5, 0, true]);
});

test("an error while held-out examples are measured ends the run", async () => {
  let calls = 0;
  const { loss, ...run } = meanRun();
  const failing = (net: Module, batch: Points) => {
    if (++calls === 2) throw new Error("no loss of held-out examples");
    return loss(net, batch);
  };
  const validationData = new TensorDataset({ x: tensor([[1]]) });
  const options = { ...run, loss: failing, loader: points([1]), epochs: 2, validationData };
  await expect(fit<Module, Points>(options)).rejects.toThrow("no loss of held-out examples");
});

test("a batch that fails while the next one is fetched is told by the run alone", async () => {
  const unhandled = vi.fn();
  process.on("unhandledRejection", unhandled);
  const data = new TensorDataset({ x: tensor([[1], [2], [3]]) });
  const slow = {
    size: 3,
    batch: async (indices: Uint32Array) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return data.batch(indices);
    },
  };
  const fails = () => {
    throw new Error("fails");
  };
  const means = evaluateMeans(meanRun().model, slow, { fails }, { batchSize: 1 });
  await expect(means).rejects.toThrow("fails");
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

test("a signal while they are measured ends the run before the epoch's report", async () => {
  const controller = new AbortController();
  const { loss, ...run } = meanRun();
  let calls = 0;
  const stopping = (net: Module, batch: Points) => {
    if (++calls === 2) controller.abort();
    return loss(net, batch);
  };
  const x = tensor([[1], [2], [3]]);
  const { history, step, end } = await fit<Module, Points>({
    ...run,
    loss: stopping,
    loader: points([1]),
    epochs: 2,
    validationData: new TensorDataset({ x }),
    evaluationBatchSize: 1,
    signal: controller.signal,
  });
  expect([history, step, end]).toEqual([[], 1, { by: "signal" }]);
});
