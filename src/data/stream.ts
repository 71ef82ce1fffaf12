import { checkEach, checkOptions, checkSizes, describeValue, isInteger } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { foldIn, type Key, keyFromSeed } from "../core/random.ts";
import { drawnIndex } from "../core/shuffle.ts";

/** What comes one after the other, at once or when it is there. */
export type Stream<T> = AsyncIterable<T> | Iterable<T | Promise<T>>;

/** Options of `shuffleWindow`. */
export interface ShuffleWindowOptions {
  /** How many items wait for their turn, from 1: none comes more than so many places early. */
  size: number;
  /** Non-negative safe integer that fixes the order; 0 when left out. */
  seed?: number;
  /** Gives another order for each; 0 when left out. */
  epoch?: number;
}

/** Options of `batched`. */
export interface BatchedOptions {
  /** Drops a last batch of fewer items; the default is to keep it. */
  dropLast?: boolean;
}

/**
 * Gives items in a random order that needs only some of them at a time: each is drawn from a window
 * of those that came first, and the next item takes its place, as `shuffle(size)` of tf.data does. The
 * same items, seed and epoch give the same order.
 * @throws GradusError for what is no iterable, a size below 1 and a bad seed or epoch.
 * @example
 * const items = [];
 * for await (const item of shuffleWindow([0, 1, 2, 3, 4, 5], { size: 3, seed: 1 })) items.push(item);
 * await items; // [1, 3, 4, 5, 0, 2]
 */
export function shuffleWindow<T>(
  source: Stream<T>,
  options: ShuffleWindowOptions,
  ...surplus: never[]
): AsyncGenerator<T, void, undefined> {
  const op = "shuffleWindow";
  checkStream(op, source);
  const known = { size: "number", seed: true, epoch: true } as const;
  checkOptions<ShuffleWindowOptions>(op, options, known, surplus);
  const { size, seed = 0, epoch = 0 } = options;
  checkSizes(op, { size });
  const isEpoch = (x: unknown) => isInteger(x, 0, 2 ** 32 - 1);
  checkEach(op, { epoch }, isEpoch, "an integer from 0 to 2^32 - 1");
  return drawn(source, size, foldIn(keyFromSeed(seed, op), epoch));
}

async function* drawn<T>(
  source: Stream<T>,
  size: number,
  key: Key,
): AsyncGenerator<T, void, undefined> {
  const waiting: T[] = [];
  let count = 0;
  const place = () => drawnIndex(key, waiting.length, count++ % 2 ** 32);
  for await (const item of source) {
    if (waiting.length < size) {
      waiting.push(item);
      continue;
    }
    const chosen = place();
    const given = waiting[chosen];
    waiting[chosen] = item;
    yield given;
  }
  while (waiting.length > 0) {
    const chosen = place();
    const given = waiting[chosen];
    const last = waiting.pop() as T;
    if (chosen < waiting.length) waiting[chosen] = last;
    yield given;
  }
}

/**
 * Gives items in lists of `size`, the last one shorter unless it is dropped.
 * @throws GradusError for what is no iterable and other options, ShapeError for a size below 1.
 * @example
 * const lists = [];
 * for await (const items of batched([1, 2, 3, 4, 5], 2)) lists.push(items);
 * await lists; // [[1, 2], [3, 4], [5]]
 */
export function batched<T>(
  source: Stream<T>,
  size: number,
  options: BatchedOptions = {},
  ...surplus: never[]
): AsyncGenerator<T[], void, undefined> {
  checkStream("batched", source);
  checkSizes("batched", { size });
  checkOptions<BatchedOptions>("batched", options, { dropLast: "boolean" }, surplus);
  return listed(source, size, options.dropLast ?? false);
}

async function* listed<T>(
  source: Stream<T>,
  size: number,
  dropLast: boolean,
): AsyncGenerator<T[], void, undefined> {
  let items: T[] = [];
  for await (const item of source) {
    items.push(item);
    if (items.length < size) continue;
    yield items;
    items = [];
  }
  if (items.length > 0 && !dropLast) yield items;
}

/** Throws a `GradusError` unless something can be gone through; texts are no lists of items. */
export function checkStream(op: string, source: unknown): void {
  const isObject = typeof source === "object" && source !== null;
  if (isObject && (Symbol.asyncIterator in source || Symbol.iterator in source)) return;
  throw new GradusError(`${op}: source ${describeValue(source)}; expected something iterable`);
}
