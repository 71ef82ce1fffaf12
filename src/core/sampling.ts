import { checkEach, isInteger, type Known } from "./check.ts";
import { GradusError, ShapeError } from "./errors.ts";
import { type Key, keyFromSeed } from "./random.ts";
import { drawnIndex, shuffledIndex } from "./shuffle.ts";

/** What batches are drawn from and how. */
export interface SamplingOptions {
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

/** The names of `SamplingOptions`. */
export const SAMPLING = {
  size: true,
  batchSize: true,
  shuffle: "boolean",
  replacement: "boolean",
  dropLast: "boolean",
  seed: true,
} as const satisfies Known<SamplingOptions>;

/** Options that were checked and completed. */
export interface Sampling extends Required<SamplingOptions> {
  /** Number of batches in each epoch. */
  readonly stepsPerEpoch: number;
  /** The seed's key; an epoch's is `foldIn(key, epoch)`. */
  readonly key: Key;
}

/**
 * Checks and completes options, speaking as `op`; throws `ShapeError` for sizes that are not
 * integers from 1 to 2³² or that leave no batch, and `GradusError` for a bad seed or for replacement
 * without shuffling.
 */
export function checkSampling(op: string, options: SamplingOptions): Sampling {
  const { size, batchSize, shuffle = true, replacement = false } = options;
  const { dropLast = false, seed = 0 } = options;
  checkCount(op, "size", size);
  checkCount(op, "batchSize", batchSize);
  if (replacement && !shuffle) {
    throw new GradusError(
      `${op}: replacement with shuffle: false; expected random order for replacement`,
    );
  }
  const stepsPerEpoch = dropLast ? Math.floor(size / batchSize) : Math.ceil(size / batchSize);
  if (stepsPerEpoch === 0) {
    throw new ShapeError(
      `${op}: batchSize ${batchSize} with dropLast leaves no batch of ${size} examples; ` +
        `expected a batchSize ≤ ${size}`,
    );
  }
  const key = keyFromSeed(seed, op);
  return { size, batchSize, shuffle, replacement, dropLast, seed, stepsPerEpoch, key };
}

/** Gives the number of the example at a place, from 0 to `size` − 1, of the epoch with this key. */
export function exampleAt(
  { size, shuffle, replacement }: Pick<Sampling, "size" | "shuffle" | "replacement">,
  epochKey: Key,
  place: number,
): number {
  if (replacement) return drawnIndex(epochKey, size, place);
  return shuffle ? shuffledIndex(epochKey, size, place) : place;
}

function checkCount(op: string, name: string, value: number): void {
  const holds = (x: unknown) => isInteger(x, 1, 2 ** 32);
  checkEach(op, { [name]: value }, holds, "an integer from 1 to 2^32", ShapeError);
}
