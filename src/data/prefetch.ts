import { checkFunctions, checkOptions, checkSteps, describeValue } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";

/** What `prefetch` does beside fetching. */
export interface PrefetchOptions<T> {
  /** Frees an item that was fetched but never delivered, because the loop ended before it. */
  onDrop?: (item: T) => void | Promise<void>;
}

/**
 * Fetches items ahead of the loop that uses them and delivers them in the source's order.
 *
 * From the first item asked for, up to `depth` items are under way or waiting, also while the
 * loop's body runs. The source's `next` may be called before its last promise has settled; an async
 * generator queues such calls itself. An error is thrown at its item's place. A loop that ends
 * early closes the source and waits until all items still under way have been dropped. Throws
 * `GradusError` if `depth` is not a positive integer.
 *
 * ```ts
 * const urls = ["a.bin", "b.bin", "c.bin"];
 * const loads = (function* () { for (const url of urls) yield fetch(url); })();
 * for await (const response of prefetch(loads, 2)) console.log(response.status);
 * ```
 */
export function prefetch<T>(
  source: AsyncIterable<T> | Iterable<T | Promise<T>>,
  depth: number,
  options: PrefetchOptions<T> = {},
): AsyncGenerator<T, void, undefined> {
  checkSteps("prefetch", { depth });
  checkOptions<PrefetchOptions<T>>("prefetch", options, { onDrop: true });
  if (options.onDrop !== undefined) checkFunctions("prefetch", { onDrop: options.onDrop });
  const isObject = typeof source === "object" && source !== null;
  if (!isObject || !(Symbol.asyncIterator in source || Symbol.iterator in source)) {
    throw new GradusError(`prefetch: source ${describeValue(source)}; expected something iterable`);
  }
  return deliver(source, depth, options);
}

async function* deliver<T>(
  source: AsyncIterable<T> | Iterable<T | Promise<T>>,
  depth: number,
  options: PrefetchOptions<T>,
): AsyncGenerator<T, void, undefined> {
  const queue = new FetchQueue(source, depth);
  let failed = true;
  try {
    for (let item = await queue.take(); !item.done; item = await queue.take()) {
      failed = false;
      yield item.value;
      failed = true;
    }
  } finally {
    const closing = queue.close(options.onDrop);
    // The item's own error goes before any that cleaning up after it may cause.
    await (failed ? closing.catch(() => {}) : closing);
  }
}

class FetchQueue<T> {
  readonly #iterator: AsyncIterator<T> | Iterator<T | Promise<T>>;
  readonly #depth: number;
  readonly #pending: Promise<IteratorResult<T, void>>[] = [];
  #exhausted = false; // the source said so itself
  #stopped = false; // no further item is to be fetched

  constructor(source: AsyncIterable<T> | Iterable<T | Promise<T>>, depth: number) {
    this.#depth = depth;
    this.#iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  async take(): Promise<IteratorResult<T, void>> {
    this.#fill();
    try {
      return await this.#pending[0];
    } finally {
      this.#pending.shift();
      this.#fill();
    }
  }

  async close(onDrop?: (item: T) => void | Promise<void>): Promise<void> {
    const returned = this.#exhausted ? undefined : this.#return();
    const drops = this.#pending.splice(0).map(async (pending) => {
      const item = await pending.catch(() => undefined);
      if (item && !item.done) await onDrop?.(item.value);
    });
    const results = await Promise.allSettled([returned, ...drops]);
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  async #return(): Promise<void> {
    await this.#iterator.return?.();
  }

  #fill(): void {
    while (!this.#stopped && this.#pending.length < this.#depth) {
      const item = this.#fetch();
      item.catch(() => {}); // reported when its turn comes
      this.#pending.push(item);
    }
  }

  async #fetch(): Promise<IteratorResult<T, void>> {
    try {
      const result = await this.#iterator.next();
      if (!result.done) return { done: false, value: await result.value };
      this.#exhausted = true;
      this.#stopped = true;
      return { done: true, value: undefined };
    } catch (error) {
      this.#stopped = true;
      throw error;
    }
  }
}
