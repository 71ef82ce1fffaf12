import {
  checkCounts,
  checkEach,
  checkFunctions,
  checkOptions,
  checkSizes,
  isInteger,
} from "../core/check.ts";
import { keyFromSeed } from "../core/random.ts";
import { release } from "../core/release.ts";
import { checkCounter } from "./checks.ts";
import { prefetch } from "./prefetch.ts";
import { batched, checkStream, type Stream, shuffleWindow } from "./stream.ts";

/** Options of `StreamLoader`. */
export interface StreamLoaderOptions<T, B> {
  /**
   * Gives the items of an epoch, numbered from 0, such as the lines of files: the same ones in the same
   * order each time that it is asked for an epoch, where a run is to go on from a checkpoint.
   */
  source: (epoch: number) => Stream<T>;
  /** Items a batch; the last batch of an epoch may hold fewer. */
  batchSize: number;
  /** Makes a batch of items, such as tensors by name. */
  collate: (items: T[]) => B | Promise<B>;
  /** How many items wait to be drawn at random, as in `shuffleWindow`; in their order when left out. */
  shuffleWindow?: number;
  /** Non-negative safe integer that fixes the order of all epochs; 0 when left out. */
  seed?: number;
  /** Drops a last batch of fewer than `batchSize` items; the default is to keep it. */
  dropLast?: boolean;
  /** Ends each epoch after so many batches; with the source when left out. */
  stepsPerEpoch?: number;
  /** How many batches are fetched ahead; 0 when left out. */
  prefetch?: number;
}

/**
 * Cuts data that need not fit in memory into batches, epoch by epoch: items of a source are drawn
 * through a window, collected and made into batches. A loader for `fit` and `train`, which go on with it
 * from a checkpoint as with any other; a loop over it gives one epoch.
 * @throws GradusError or ShapeError for bad options.
 * @example
 * const loader = new StreamLoader({
 *   source: async function* () {
 *     for (const file of files) yield* (await file.text()).split("\n");
 *   },
 *   collate: (lines) => ({ x: tensor(lines.map((line) => line.split(",").map(Number))) }),
 *   batchSize: 2,
 *   shuffleWindow: 1000,
 *   seed: 1,
 * });
 * for await (const { x } of loader) console.log(x.shape);
 */
export class StreamLoader<T, B> implements AsyncIterable<B> {
  readonly batchSize: number;
  /** Number of batches in each epoch; Infinity where the source tells it by its end. */
  readonly stepsPerEpoch: number;
  readonly #options: StreamLoaderOptions<T, B>;
  /** The epoch of the next loop over the loader. */
  #next = 0;

  constructor(options: StreamLoaderOptions<T, B>) {
    const op = "StreamLoader";
    checkOptions<StreamLoaderOptions<T, B>>(op, options, {
      source: true,
      batchSize: true,
      collate: true,
      shuffleWindow: true,
      seed: true,
      dropLast: "boolean",
      stepsPerEpoch: true,
      prefetch: true,
    });
    const { source, collate, batchSize, shuffleWindow, seed = 0, prefetch = 0 } = options;
    const { stepsPerEpoch = Number.POSITIVE_INFINITY } = options;
    checkFunctions(op, { source, collate });
    checkSizes(op, { batchSize, ...(shuffleWindow !== undefined && { shuffleWindow }) });
    const isCount = (x: unknown) => isInteger(x, 1) || x === Number.POSITIVE_INFINITY;
    checkEach(op, { stepsPerEpoch }, isCount, "an integer from 1");
    checkCounts(op, { prefetch });
    keyFromSeed(seed, op);
    this.batchSize = batchSize;
    this.stepsPerEpoch = stepsPerEpoch;
    this.#options = { ...options };
  }

  /**
   * Gives the batches of an epoch, numbered from 0; the caller disposes each.
   * @throws GradusError for another number than an integer from 0 to 2³² − 1, and for a source that
   * gives nothing iterable.
   */
  epoch(epoch: number): AsyncGenerator<B, void, undefined> {
    checkCounter("StreamLoader", { epoch });
    const { prefetch: depth = 0 } = this.#options;
    const batches = this.#batches(epoch);
    return depth === 0 ? batches : prefetch(batches, depth, { onDrop: release });
  }

  /** Gives the next epoch's batches, from epoch 0; the caller disposes each. */
  [Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    return this.epoch(this.#next++);
  }

  /** What the batches depend on beside the source; a run's checkpoint keeps and compares it. */
  get fingerprint(): Readonly<Record<string, number | boolean>> {
    const { batchSize, seed = 0, shuffleWindow: size = 1, dropLast = false } = this.#options;
    return { batchSize, seed, shuffleWindow: size, dropLast };
  }

  async *#batches(epoch: number): AsyncGenerator<B, void, undefined> {
    const { source, collate, batchSize, shuffleWindow: size, seed, dropLast } = this.#options;
    const items = source(epoch);
    checkStream("StreamLoader", items);
    const order = size === undefined ? items : shuffleWindow(items, { size, seed, epoch });
    let given = 0;
    for await (const list of batched(order, batchSize, { dropLast })) {
      yield await collate(list);
      if (++given >= this.stepsPerEpoch) return;
    }
  }
}
