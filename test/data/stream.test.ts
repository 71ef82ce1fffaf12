import { beforeAll, describe, expect, test, vi } from "vitest";
import { batched, type Stream, StreamLoader, shuffleWindow } from "../../src/data/index.ts";
import {
  GradusError,
  mean,
  ShapeError,
  square,
  sub,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { Linear } from "../../src/nn/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { Checkpoint, fit, type Loader } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { errorOf } from "../support/error-of.ts";
import { memoryStore } from "../support/fit-outcome.ts";
import { bitsOf } from "../support/small-run.ts";

beforeAll(() => testDevice());

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);

async function* later<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  for (const item of items) {
    await Promise.resolve();
    yield item;
  }
}

describe("shuffleWindow", () => {
  test.each([
    [0, 3],
    [1, 3],
    [3, 3],
    [50, 1],
    [50, 8],
    [50, 49],
    [50, 200],
  ])("gives each of %i items once, none more than a window of %i early", async (n, size) => {
    const order = await all(shuffleWindow(numbers(n), { size, seed: 3 }));
    expect([...order].sort((a, b) => a - b)).toEqual(numbers(n));
    for (const [place, item] of order.entries()) expect(item - place).toBeLessThan(size);
    if (size === 1) expect(order).toEqual(numbers(n));
    if (n === 50 && size > 1) expect(order).not.toEqual(numbers(n));
    expect(await all(shuffleWindow(later(numbers(n)), { size, seed: 3 }))).toEqual(order);
    if (n < 50 || size === 1) return;
    expect(await all(shuffleWindow(numbers(n), { size, seed: 4 }))).not.toEqual(order);
    const other = shuffleWindow(numbers(n), { size, seed: 3, epoch: 1 });
    expect(await all(other)).not.toEqual(order);
  });

  test("gives all orders of a window as often", async () => {
    const counts = new Map<string, number>();
    const runs = 6000;
    for (let seed = 0; seed < runs; seed++) {
      const order = (await all(shuffleWindow([0, 1, 2], { size: 3, seed }))).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // χ² of 5 degrees of freedom is below 20.5 with a probability of 0.999.
    const expected = runs / 6;
    const chi = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    expect(chi).toBeLessThan(20.5);
  });

  test("takes no more of a source than the window and what was given, and closes it", async () => {
    let taken = 0;
    let closed = false;
    const source = (function* () {
      try {
        for (;;) yield taken++;
      } finally {
        closed = true;
      }
    })();
    let given = 0;
    for await (const _ of shuffleWindow(source, { size: 10 })) {
      given++;
      expect(taken).toBe(10 + given);
      if (given === 5) break;
    }
    expect(closed).toBe(true);
  });
});

test("batched lists items, and drops the last list where it is told to", async () => {
  expect(await all(batched(numbers(5), 2))).toEqual([[0, 1], [2, 3], [4]]);
  expect(await all(batched(later(numbers(5)), 2, { dropLast: true }))).toEqual([
    [0, 1],
    [2, 3],
  ]);
  expect(await all(batched([], 2))).toEqual([]);
  expect(await all(batched([Promise.resolve(1)], 2))).toEqual([[1]]);
});

test.each<[string, () => unknown, string, typeof GradusError]>([
  [
    "a number",
    () => shuffleWindow(3 as never, { size: 2 }),
    "shuffleWindow: source 3; expected something iterable",
    GradusError,
  ],
  [
    "no window",
    () => shuffleWindow([], { size: 0 }),
    "shuffleWindow: size 0; expected a positive integer",
    ShapeError,
  ],
  [
    "a bare size",
    () => shuffleWindow([], 3 as never),
    "shuffleWindow: options 3; expected an object of size, seed, epoch. Did you mean { size: 3 }?",
    GradusError,
  ],
  [
    "another seed",
    () => shuffleWindow([], { size: 1, seed: 0.5 }),
    "shuffleWindow: seed 0.5; expected an integer",
    GradusError,
  ],
  [
    "another epoch",
    () => shuffleWindow([], { size: 1, epoch: -1 }),
    "shuffleWindow: epoch -1; expected an integer from 0",
    GradusError,
  ],
  ["a text", () => batched("abc", 2), 'batched: source "abc"; expected', GradusError],
  ["no size", () => batched([], 0), "batched: size 0; expected a positive integer", ShapeError],
])("streams of %s are refused", (_, call, message, Kind) => {
  const error = errorOf(call);
  expect(error).toBeInstanceOf(Kind);
  expect(error.message.startsWith(message), error.message).toBe(true);
});

describe("StreamLoader", () => {
  const collate = (items: number[]) => ({ x: tensor(items.map((i) => [i / 10])) });
  const given = { source: () => later(numbers(10)), collate, batchSize: 3 };
  const valuesOf = async (batches: AsyncIterable<{ x: Tensor }>) => {
    const lists = await all(batches);
    return Promise.all(
      lists.map(async ({ x }) => [...(await x.data())].map((v) => Math.round(10 * v))),
    );
  };

  test("collects the items of each epoch", async () => {
    const source = vi.fn((epoch: number): Stream<number> => [10 * epoch, 10 * epoch + 1]);
    const loader = new StreamLoader({ ...given, source });
    expect(loader.stepsPerEpoch).toBe(Infinity);
    expect(await valuesOf(loader)).toEqual([[0, 1]]);
    expect(await valuesOf(loader)).toEqual([[10, 11]]);
    expect(await valuesOf(loader.epoch(7))).toEqual([[70, 71]]);
    expect(source.mock.calls).toEqual([[0], [1], [7]]);
  });

  test("draws through a window, in another order each epoch", async () => {
    const loader = new StreamLoader({ ...given, shuffleWindow: 5, seed: 1 });
    const first = await valuesOf(loader.epoch(0));
    expect(first.map(({ length }) => length)).toEqual([3, 3, 3, 1]);
    const order = await all(shuffleWindow(numbers(10), { size: 5, seed: 1, epoch: 0 }));
    expect(first.flat()).toEqual(order);
    expect(await valuesOf(loader.epoch(1))).not.toEqual(first);
    const ahead = new StreamLoader({ ...given, shuffleWindow: 5, seed: 1, prefetch: 2 });
    expect(await valuesOf(ahead.epoch(0))).toEqual(first);
  });

  test("ends an endless source after stepsPerEpoch, and closes it", async () => {
    let closed = 0;
    const source = async function* () {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        closed++;
      }
    };
    const loader = new StreamLoader({ ...given, source, stepsPerEpoch: 2 });
    expect(await valuesOf(loader)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(closed).toBe(1);
    const ahead = new StreamLoader({ ...given, source, stepsPerEpoch: 2, prefetch: 3 });
    expect(await valuesOf(ahead)).toHaveLength(2);
    expect(closed).toBe(2);
  });

  /** Lines of text, of which a network is to tell the second number by the first. */
  const lines = numbers(23).map((i) => `${i / 23},${(2 * i) / 23 - 1}`);
  const parts = (items: string[], at: number) =>
    tensor(items.map((line) => [Number(line.split(",")[at])]));
  const streamed = (more: object = {}) => {
    const model = new Linear(1, 1, { seed: 1 });
    return {
      model,
      optimizer: new Adam(model.parameters(), { learningRate: 0.05 }),
      loss: (net: Linear, { x, y }: { x: Tensor; y: Tensor }) => mean(square(sub(net.call(x), y))),
      loader: new StreamLoader({
        source: () => later(lines),
        collate: (items: string[]) => ({ x: parts(items, 0), y: parts(items, 1) }),
        batchSize: 4,
        shuffleWindow: 6,
        seed: 2,
        ...more,
      }),
    };
  };
  const bits = (run: ReturnType<typeof streamed>) => bitsOf(run as never);

  test("has a run go on from a checkpoint with the same bits", async () => {
    const straight = streamed();
    const { history, step } = await fit({ ...straight, epochs: 4 });
    expect(step).toBe(24);
    expect(history[3].loss).toBeLessThan(history[0].loss);
    for (const cut of [3, 6, 10]) {
      const store = memoryStore();
      const controller = new AbortController();
      const first = streamed();
      await fit({
        ...first,
        epochs: 4,
        signal: controller.signal,
        metricsEvery: 1,
        callbacks: [
          { onStep: ({ step }) => void (step >= cut && controller.abort()) },
          new Checkpoint({ to: store, every: { epochs: 100 } }),
        ],
      });
      const second = streamed();
      const done = await fit({ ...second, epochs: 4, resume: await store.read() });
      expect(done.step).toBe(24);
      expect(await bits(second)).toEqual(await bits(straight));
      const other = streamed({ seed: 3 });
      const refused = fit({ ...other, epochs: 4, resume: await store.read() });
      await expect(refused).rejects.toThrow(
        /^fit: a checkpoint of a run with seed 2 for one with seed 3/,
      );
    }
  });

  test("may not know how many batches an epoch has; others say a number", async () => {
    const run = streamed();
    const wrong = (stepsPerEpoch: number): Loader<{ x: Tensor; y: Tensor }> => ({
      stepsPerEpoch,
      epoch: () => run.loader.epoch(0),
    });
    const { step } = await fit({ ...run, loader: wrong(Infinity), epochs: 1 });
    expect(step).toBe(6);
    for (const count of [0, 1.5, Number.NaN, -Infinity]) {
      const told = fit({ ...run, loader: wrong(count), epochs: 1 });
      const message = `fit: a loader with stepsPerEpoch ${count}; expected an integer from 1`;
      await expect(told).rejects.toThrow(message);
    }
  });

  test.each<[string, object, string]>([
    ["no source", { source: [1] }, "StreamLoader: source is an array; expected a function"],
    [
      "no collate",
      { collate: undefined },
      "StreamLoader: collate is undefined; expected a function",
    ],
    [
      "no window",
      { shuffleWindow: 0 },
      "StreamLoader: shuffleWindow 0; expected a positive integer",
    ],
    ["no batch", { batchSize: 0 }, "StreamLoader: batchSize 0; expected a positive integer"],
    ["no steps", { stepsPerEpoch: 0 }, "StreamLoader: stepsPerEpoch 0; expected an integer from 1"],
    ["another seed", { seed: -1 }, "StreamLoader: seed -1; expected an integer"],
    ["another depth", { prefetch: -1 }, "StreamLoader: prefetch -1; expected an integer from 0"],
  ])("refuses %s", (_, options, message) => {
    const error = errorOf(() => new StreamLoader({ ...given, ...options }));
    expect(error).toBeInstanceOf(GradusError);
    expect(error.message.startsWith(message), error.message).toBe(true);
  });

  test("tells of a source that gives nothing to go through", async () => {
    const loader = new StreamLoader({ ...given, source: () => 3 as never });
    await expect(loader.epoch(0).next()).rejects.toThrow(
      "StreamLoader: source 3; expected something iterable",
    );
    expect(() => loader.epoch(-1)).toThrow("StreamLoader: epoch -1; expected an integer from 0");
  });
});
