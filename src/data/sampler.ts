import { checkOptions } from "../core/check.ts";
import { foldIn, type Key } from "../core/random.ts";
import { checkSampling, exampleAt, SAMPLING, type SamplingOptions } from "../core/sampling.ts";
import { type KnownByIdentity, traceKey } from "../graph/trace-key.ts";
import { checkCounter } from "./checks.ts";

/** What a `BatchSampler` draws from and how. */
export type BatchSamplerOptions = SamplingOptions;

/**
 * Cuts a data set into batches of example indices, epoch by epoch.
 *
 * An epoch depends on the options and its number only, so any epoch can be had at any time, in any
 * order. Without replacement it holds each example exactly once (less a dropped last batch).
 * `batchIndices` gives the same numbers in a graph: `batchIndices(step, sampler)`.
 *
 * ```ts
 * const sampler = new BatchSampler({ size: 60_000, batchSize: 100, seed: 1 });
 * for (const indices of sampler.epoch(0)) console.log(indices.length); // 100, 600 times
 * ```
 */
export class BatchSampler implements KnownByIdentity {
  readonly size: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly replacement: boolean;
  readonly dropLast: boolean;
  readonly seed: number;
  /** Number of batches in each epoch. */
  readonly stepsPerEpoch: number;
  readonly #key: Key;

  /**
   * Throws `ShapeError` for sizes that are not positive integers or that leave no batch, and
   * `GradusError` for a bad seed, unknown options, or replacement without shuffling.
   */
  constructor(options: BatchSamplerOptions) {
    checkOptions<BatchSamplerOptions>("BatchSampler", options, SAMPLING);
    const sampling = checkSampling("BatchSampler", options);
    this.size = sampling.size;
    this.batchSize = sampling.batchSize;
    this.shuffle = sampling.shuffle;
    this.replacement = sampling.replacement;
    this.dropLast = sampling.dropLast;
    this.seed = sampling.seed;
    this.stepsPerEpoch = sampling.stepsPerEpoch;
    this.#key = sampling.key;
  }

  /**
   * Returns the batches of an epoch, each a new array of example indices; may be iterated again.
   * Throws `GradusError` if `epoch` is not an integer from 0 to 2³² − 1.
   */
  epoch(epoch: number): Iterable<Uint32Array> {
    const key = foldIn(this.#key, epoch);
    return { [Symbol.iterator]: () => this.#batches(key) };
  }

  /**
   * Returns the batch of a step counted from the first epoch's start: batch s mod `stepsPerEpoch` of
   * epoch ⌊s / `stepsPerEpoch`⌋. Throws `GradusError` if `step` is not an integer from 0 to 2³² − 1.
   */
  at(step: number): Uint32Array {
    checkCounter("BatchSampler", { step });
    const epoch = Math.floor(step / this.stepsPerEpoch);
    return this.#batch(foldIn(this.#key, epoch), step % this.stepsPerEpoch);
  }

  /** Compiled functions know it by identity. */
  [traceKey](): string {
    return "";
  }

  *#batches(key: Key): Generator<Uint32Array, void, undefined> {
    for (let i = 0; i < this.stepsPerEpoch; i++) yield this.#batch(key, i);
  }

  #batch(key: Key, i: number): Uint32Array {
    const start = i * this.batchSize;
    const length = Math.min(this.batchSize, this.size - start);
    return Uint32Array.from({ length }, (_, j) => exampleAt(this, key, start + j));
  }
}
