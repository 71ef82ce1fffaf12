import { GradusError, ShapeError } from "../core/errors.ts";
import { foldIn, type Key, keyFromSeed, permutation, uniformIntegers } from "../core/random.ts";

/** What a `BatchSampler` draws from and how. */
export interface BatchSamplerOptions {
  /** Number of examples in the data set. */
  size: number;
  /** Examples a batch; the last batch of an epoch may hold fewer. */
  batchSize: number;
  /** Takes the examples in a new random order each epoch (the default), else from 0 upwards. */
  shuffle?: boolean;
  /** Draws every index anew from the whole data set; the default is to draw each one once. */
  replacement?: boolean;
  /** Drops a last batch of fewer than `batchSize` examples; the default is to keep it. */
  dropLast?: boolean;
  /** Non-negative safe integer that fixes all epochs (default 0). */
  seed?: number;
}

/**
 * Cuts a data set into batches of example indices, epoch by epoch.
 *
 * An epoch depends on the options and its number only, so any epoch can be had at any time, in any
 * order. Without replacement it holds each example exactly once (less a dropped last batch).
 *
 * ```ts
 * const sampler = new BatchSampler({ size: 60_000, batchSize: 100, seed: 1 });
 * for (const indices of sampler.epoch(0)) console.log(indices.length); // 100, 600 times
 * ```
 */
export class BatchSampler {
  readonly size: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly replacement: boolean;
  readonly dropLast: boolean;
  /** Number of batches in each epoch. */
  readonly stepsPerEpoch: number;
  readonly #key: Key;

  /**
   * Throws `ShapeError` for sizes that are not positive integers or that leave no batch, and
   * `GradusError` for a bad seed or for replacement without shuffling.
   */
  constructor(options: BatchSamplerOptions) {
    const { size, batchSize, shuffle = true, replacement = false } = options;
    const { dropLast = false, seed = 0 } = options;
    checkPositive("size", size);
    checkPositive("batchSize", batchSize);
    if (replacement && !shuffle) {
      throw new GradusError(
        "BatchSampler: replacement with shuffle: false; expected random order for replacement",
      );
    }
    const steps = size / batchSize;
    this.stepsPerEpoch = dropLast ? Math.floor(steps) : Math.ceil(steps);
    if (this.stepsPerEpoch === 0) {
      throw new ShapeError(
        `BatchSampler: batchSize ${batchSize} with dropLast leaves no batch of ${size} examples; ` +
          `expected a batchSize ≤ ${size}`,
      );
    }
    this.size = size;
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.replacement = replacement;
    this.dropLast = dropLast;
    this.#key = keyFromSeed(seed, "BatchSampler");
  }

  /**
   * Returns the batches of an epoch, each a new array of example indices; may be iterated again.
   * Throws `GradusError` if `epoch` is not an integer from 0 to 2³² − 1.
   */
  epoch(epoch: number): Iterable<Uint32Array> {
    const key = foldIn(this.#key, epoch);
    return { [Symbol.iterator]: () => this.#batches(key) };
  }

  *#batches(key: Key): Generator<Uint32Array, void, undefined> {
    const order = this.#order(key);
    for (let step = 0; step < this.stepsPerEpoch; step++) {
      yield order.slice(step * this.batchSize, (step + 1) * this.batchSize);
    }
  }

  #order(key: Key): Uint32Array {
    if (this.replacement) return uniformIntegers(key, this.size, this.size);
    if (this.shuffle) return permutation(key, this.size);
    return Uint32Array.from({ length: this.size }, (_, i) => i);
  }
}

function checkPositive(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1 || value > 2 ** 32) {
    throw new ShapeError(`BatchSampler: ${name} ${value}; expected an integer from 1 to 2^32`);
  }
}
