import { beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { DataLoader, TensorDataset } from "../../src/data/index.ts";
import { add, mean, mul, randomNormal, square, type Tensor, tensor } from "../../src/index.ts";
import { Linear, type Module, Sequential } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import {
  Checkpoint,
  EarlyStopping,
  type EpochEvent,
  evaluateMeans,
  fit,
  GeneticAlgorithm,
  type StepEvent,
  train,
} from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { smallData, smallRun } from "../support/small-run.ts";

beforeAll(() => testDevice());

type Any = Record<string, unknown>;

const population = (options: Any = {}) => ({
  model: new Sequential(new Linear(1, 1, { seed: 1 })),
  loss: () => tensor([0, 0]),
  populationSize: 2,
  elite: 1,
  ...options,
});

const run = (options: Any = {}) => ({ ...smallRun(0.05), epochs: 1, ...options }) as never;

describe("defaults", () => {
  test("of a run", async () => {
    const steps: StepEvent[] = [];
    const onStep = (event: StepEvent) => void steps.push(event);
    const loader = new DataLoader({ dataset: smallData(60), batchSize: 5, seed: 3 });
    const result = await fit(run({ loader, epochs: 2, callbacks: [{ onStep }] }));
    expect(steps.map((event) => event.step)).toEqual([10, 20]);
    expect([result.step, result.history.length]).toEqual([24, 2]);
    expect(await evaluateMeans(smallRun().model, smallData(3), {})).toEqual({});
  });

  test("of what evaluates: a thousand examples a batch, in their order", async () => {
    const batches: number[][] = [];
    const data = {
      size: 1001,
      batch: (indices: ArrayLike<number>) => {
        batches.push(Array.from(indices));
        return { x: tensor([1]) };
      },
    };
    await evaluateMeans(smallRun().model, data, { one: () => tensor(1) });
    expect(batches).toEqual([Array.from({ length: 1000 }, (_, i) => i), [1000]]);
  });

  test("of a seed: what is measured or summarized once draws anew", async () => {
    const noisy = (x: Tensor) => add(x, randomNormal(x.shape, { std: 0.1 }));
    const data = new TensorDataset({ x: tensor(new Float32Array(12), { shape: [2, 6] }) });
    const draw = (_: Module, { x }: { x: Tensor }) => mean(noisy(x));
    const { a, b } = await evaluateMeans(smallRun().model, data, { a: draw, b: draw });
    expect(a).not.toBe(b);
    const model = new Sequential(noisy, smallRun().model);
    const { layers } = await model.summary({ inputShape: [1, 6], print: null });
    expect(layers[0].outputShapes).toEqual([[1, 6]]);
  });

  test("of patience, minDelta and mode, where numbers are equal", async () => {
    const epochs = async (values: number[], options = {}) => {
      const monitor = ({ epoch }: EpochEvent) => values[epoch];
      const stopping = new EarlyStopping({ monitor, ...options });
      const { history } = await fit(run({ epochs: values.length, callbacks: [stopping] }));
      return [history.length, stopping.bestEpoch];
    };
    expect(new EarlyStopping().patience).toBe(3);
    expect(await epochs([2, 2, 2, 2, 1])).toEqual([4, 0]); // equal is no better
    expect(await epochs([2, 3, 3, 1, 1])).toEqual([5, 3]); // better just in time
    expect(await epochs([2, 3, 3, 1, 2, 2, 0])).toEqual([7, 6]); // and waits anew
    expect(await epochs([4, 3, 2], { minDelta: 1, patience: 1 })).toEqual([2, 0]); // by more
    expect(await epochs([4, 2.9, 2], { minDelta: 1, patience: 1 })).toEqual([3, 1]);
    expect(await epochs([1, 1, 2], { mode: "max", patience: 1 })).toEqual([2, 0]);
    expect(await epochs([0, -1, -2], { mode: "max", patience: 1 })).toEqual([2, 0]);
    expect(await epochs([0, -1, -2], { mode: "min", patience: 1 })).toEqual([3, 2]);
    expect(await epochs([1], { patience: 1 })).toEqual([1, 0]);
    expect(await epochs([Number.NaN, Infinity, 5], { patience: 2 })).toEqual([3, 2]);
  });

  test("of a search, where options are left out by undefined too", () => {
    const left = { elite: undefined, seed: undefined, crossover: undefined };
    const search = new GeneticAlgorithm(population({ populationSize: 5, ...left }) as never);
    expect(search.losses.shape).toEqual([5]);
    const { populationSize: _, elite, ...rest } = population();
    expect(elite).toBe(1);
    expect(new GeneticAlgorithm(rest as never).losses.shape).toEqual([100]);
  });
});

describe("when a run is saved", () => {
  /** The steps at which a run of 3 epochs of 4 steps is saved. */
  const saved = async (every: object | undefined, epochs = 3, metricsEvery = 1) => {
    const at: number[] = [];
    const to = { read: async () => null, write: async () => void at.push(now?.step ?? -1) };
    let now: { readonly step: number } | null = null;
    const onStart = (given: { readonly step: number }) => {
      now = given;
    };
    const callbacks = [{ onStart }, new Checkpoint({ to, ...(every && { every }) } as never)];
    await fit(run({ epochs, metricsEvery, callbacks }));
    return at;
  };

  test("after each epoch, each n-th, or each n-th step, and at the end", async () => {
    expect(await saved(undefined)).toEqual([4, 8, 12]);
    expect(await saved({ epochs: 1 })).toEqual([4, 8, 12]);
    expect(await saved({ epochs: 2 })).toEqual([8, 12]);
    expect(await saved({ epochs: 3 })).toEqual([12]);
    expect(await saved({ epochs: 4 })).toEqual([12]);
    expect(await saved({ steps: 100 })).toEqual([12]);
    expect(await saved({ steps: 4 }, 3, 100)).toEqual([4, 8, 12]);
    expect(await saved({ steps: 5 }, 3, 100)).toEqual([8, 12]);
    expect(await saved({ steps: 1 }, 1)).toEqual([3, 4, 4]); // reports come two steps later, the end last
  });
});

test("batches keep their types", () => {
  const data = new TensorDataset({ inputs: tensor([[1]]), targets: tensor([[1]]) });
  const loader = new DataLoader({ dataset: data, batchSize: 1 });
  const model = new Sequential(new Linear(1, 1, { seed: 1 }));
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
  type B = ReturnType<typeof data.batch>;
  const parts = { model, optimizer, epochs: 0 };
  const error = (net: Module, inputs: Tensor, targets: Tensor) =>
    mean(square(mul(net.call(inputs), targets)));
  void fit({
    ...parts,
    loader,
    loss: (net, batch) => {
      expectTypeOf(batch).not.toBeAny();
      expectTypeOf(batch).toEqualTypeOf<B>();
      return error(net, batch.inputs, batch.targets);
    },
  });
  void fit({
    ...parts,
    loader: [{ x: tensor([1]), name: "a" }],
    loss: (net, batch) => {
      expectTypeOf(batch).toEqualTypeOf<{ x: Tensor; name: string }>();
      return error(net, batch.x, batch.x);
    },
  });
  train({
    ...parts,
    loader: new Set([tensor([1])]),
    loss: (net, batch) => {
      expectTypeOf(batch).toEqualTypeOf<Tensor>();
      return error(net, batch, batch);
    },
  });
  expectTypeOf(loader.epoch(0)).toEqualTypeOf<AsyncGenerator<B, void, undefined>>();
  expectTypeOf(loader[Symbol.asyncIterator]()).toEqualTypeOf<AsyncGenerator<B, void, undefined>>();
  expectTypeOf<B["inputs"]>().toEqualTypeOf<Tensor>();
});
