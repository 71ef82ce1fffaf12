import fc from "fast-check";
import { expect, test } from "vitest";
import { GradusError } from "../../src/core/errors.ts";
import { prefetch } from "../../src/data/prefetch.ts";

/** Lets every promise that can settle do so. */
const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** A source whose loads end when the test says so. */
class Loads implements Iterable<Promise<number>> {
  readonly resolve: ((value: number) => void)[] = [];
  readonly reject: ((error: Error) => void)[] = [];
  closed = 0;
  readonly length: number;

  constructor(length: number) {
    this.length = length;
  }

  *[Symbol.iterator](): Generator<Promise<number>> {
    try {
      while (this.resolve.length < this.length) {
        yield new Promise((resolve, reject) => {
          this.resolve.push(resolve);
          this.reject.push(reject);
        });
      }
    } finally {
      this.closed++;
    }
  }
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

test("delivers every item in order, from every kind of source", async () => {
  const asynchronous = async function* () {
    yield* [1, 2, 3];
  };
  expect(await collect(prefetch([1, 2, 3], 2))).toEqual([1, 2, 3]);
  expect(await collect(prefetch([1, Promise.resolve(2), 3], 5))).toEqual([1, 2, 3]);
  expect(await collect(prefetch(asynchronous(), 2))).toEqual([1, 2, 3]);
  expect(await collect(prefetch([], 2))).toEqual([]);
  expect(await collect(prefetch([undefined, null], 1))).toEqual([undefined, null]);
});

test("keeps the order whatever the loads' own order", async () => {
  const delays = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(delays, fc.integer({ min: 1, max: 15 }), async (given, depth) => {
      let underWay = 0;
      let most = 0;
      const loads = function* () {
        for (const [i, delay] of given.entries()) {
          most = Math.max(most, ++underWay);
          yield (async () => {
            for (let turn = 0; turn < delay; turn++) await Promise.resolve();
            return i;
          })();
        }
      };
      const seen: number[] = [];
      for await (const item of prefetch(loads(), depth)) {
        underWay--;
        seen.push(item);
      }
      expect(seen).toEqual([...given.keys()]);
      expect(most).toBeLessThanOrEqual(depth + 1); // the one handed over counts until the body runs
    }),
    { numRuns: 100 },
  );
});

test("keeps depth loads under way from the first request, even while the body runs", async () => {
  const loads = new Loads(10);
  const items = prefetch(loads, 3);
  await settle();
  expect(loads.resolve.length).toBe(0);
  const first = items.next();
  await settle();
  expect(loads.resolve.length).toBe(3);
  loads.resolve[1](1);
  loads.resolve[2](2);
  await settle();
  expect(loads.resolve.length).toBe(3);
  loads.resolve[0](0);
  expect(await first).toEqual({ done: false, value: 0 });
  await settle();
  expect(loads.resolve.length).toBe(4); // the body still works on item 0
  loads.resolve[3](3);
  await items.return();
});

test("loads of an async source run side by side where it allows that", async () => {
  let started = 0;
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const value = started++;
        await settle();
        return value < 6 ? { done: false, value } : { done: true, value: undefined };
      },
    }),
  };
  const items = prefetch(source, 4);
  const first = items.next();
  expect(started).toBe(4);
  await first;
  expect(await collect(items)).toEqual([1, 2, 3, 4, 5]);
});

test("throws an error at its item's place, closes the source and drops the rest", async () => {
  const loads = new Loads(10);
  const dropped: number[] = [];
  const items = prefetch(loads, 3, { onDrop: (item) => void dropped.push(item) });
  const first = items.next();
  await settle();
  loads.reject[1](new Error("item 1"));
  await settle(); // the failure waits for its turn, without an unhandled rejection
  loads.resolve[2](2);
  loads.resolve[0](0);
  expect(await first).toEqual({ done: false, value: 0 });
  await expect(items.next()).rejects.toThrow("item 1");
  expect(dropped).toEqual([2]);
  expect(loads.closed).toBe(1);
  expect(loads.resolve.length).toBe(3); // nothing is fetched past a failure
  expect(await items.next()).toEqual({ done: true, value: undefined });
});

test("throws a source's own error after the items before it", async () => {
  const failing = function* () {
    yield 1;
    yield 2;
    throw new Error("source");
  };
  const seen: number[] = [];
  const run = async () => {
    for await (const item of prefetch(failing(), 4)) seen.push(item);
  };
  await expect(run()).rejects.toThrow("source");
  expect(seen).toEqual([1, 2]);
});

test("a loop that ends early closes the source and waits for the drops", async () => {
  const loads = new Loads(10);
  const dropped: number[] = [];
  const onDrop = async (item: number) => {
    await settle();
    dropped.push(item);
  };
  const run = async () => {
    for await (const item of prefetch(loads, 4, { onDrop })) if (item === 0) break;
    return dropped.length;
  };
  const ended = run();
  await settle();
  loads.resolve[0](0);
  await settle();
  expect(loads.closed).toBe(1);
  loads.resolve[3](3);
  loads.reject[2](new Error("dropped too, so nobody sees it"));
  loads.resolve[4](4);
  loads.resolve[1](1);
  expect(await ended).toBe(3);
  expect(dropped.sort()).toEqual([1, 3, 4]);
  expect(loads.resolve.length).toBe(5);
});

test("a body's error reaches the caller and closes the source", async () => {
  const loads = new Loads(5);
  const run = async () => {
    for await (const item of prefetch(loads, 1)) throw new Error(`body at ${item}`);
  };
  const ended = run();
  await settle();
  loads.resolve[0](0);
  await settle();
  loads.resolve[1](1);
  await expect(ended).rejects.toThrow("body at 0");
  expect(loads.closed).toBe(1);
});

test("an error in onDrop reaches the loop's end, but never hides an item's error", async () => {
  const onDrop = () => {
    throw new Error("onDrop");
  };
  const items = prefetch([1, 2], 2, { onDrop });
  await items.next();
  await expect(items.return()).rejects.toThrow("onDrop");
  const failing = prefetch([Promise.reject(new Error("item 0")), 1], 2, { onDrop });
  await expect(failing.next()).rejects.toThrow("item 0");
});

test("a source's own error goes before one of closing it", async () => {
  let count = 0;
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        if (count === 2) throw new Error("own");
        return { done: false, value: count++ };
      },
      return: () => Promise.reject(new Error("closing")),
    }),
  };
  await expect(collect(prefetch(source, 1))).rejects.toThrow("own");
});

test("an exhausted source is not closed again", async () => {
  let returned = 0;
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: true, value: undefined }),
      return: async () => {
        returned++;
        return { done: true, value: undefined };
      },
    }),
  };
  expect(await collect(prefetch(source, 2))).toEqual([]);
  expect(returned).toBe(0);
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("rejects depth %d", (depth) => {
  const message = `prefetch: depth ${depth}; expected an integer from 1`;
  expect(() => prefetch([1], depth)).toThrow(new GradusError(message));
});
