import { checkEach, checkOptions, checkSizes, describeValue, isInteger } from "../core/check.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { list } from "../core/quote.ts";
import { foldIn, type Key, keyFromSeed, permutation } from "../core/random.ts";
import type { Tensor } from "../graph/tensor.ts";
import { tensor } from "../ops/creation.ts";
import { checkCounter } from "./checks.ts";
import {
  checkPaddingOptions,
  checkSequences,
  PADDING,
  type PaddedSequences,
  type PaddingOptions,
  padded,
  type Sequence,
  type SequenceFacts,
} from "./pad-sequences.ts";
import { BatchTensors, type TensorBatch } from "./tensor-dataset.ts";

/** Options of `BucketLoader`. */
export interface BucketLoaderOptions extends PaddingOptions {
  sequences: readonly Sequence[];
  /** An integer for each sequence, or a list of integers for each, one for each of its elements. */
  labels?: ArrayLike<number> | readonly ArrayLike<number>[];
  /** What labels of elements are padded with; −100 when left out, for `ignoreIndex` of losses. */
  labelValue?: number;
  /** Examples a batch; the last batch of each bucket may hold fewer. */
  batchSize: number;
  /**
   * The lengths to which batches are padded, ascending, the last not below the longest sequence: 8, 16,
   * 32 and so on, and the longest's, when left out. Each is a plan of a compiled step.
   */
  boundaries?: readonly number[];
  /** Takes the examples, and then the batches, in a new random order each epoch; true when left out. */
  shuffle?: boolean;
  /** Drops batches of fewer than `batchSize` examples; the default is to keep them. */
  dropLast?: boolean;
  /** Non-negative safe integer that fixes all epochs; 0 when left out. */
  seed?: number;
}

/** A batch of sequences that were padded to one length. */
export type PaddedBatch = TensorBatch<"x" | "lengths" | "mask"> & {
  /** i32 `[n]`, or `[n, length]` of elements; only with `labels`. */
  readonly labels: Tensor;
};

/** The length from which boundaries double, where none are given. */
const FIRST = 8;

/**
 * Gives batches of sequences of about the same length, so that little of them is padding: `x`,
 * `lengths` and `mask` as `padSequences` gives them, `labels` beside. An epoch depends on the options
 * and its number only. A loader for `fit` and `train`; a loop over it gives one epoch.
 * @throws ShapeError for no sequences, sequences of no shape in common, boundaries that do not ascend
 * to the longest, and where no batch is left; GradusError for other options.
 * @example
 * const loader = new BucketLoader({ sequences: [[1], [2, 3], [4]], labels: [0, 1, 0], batchSize: 2, shuffle: false });
 * const [batch] = [...loader.epoch(0)];
 * await batch.x.shape; // [2, 2]
 */
export class BucketLoader implements Iterable<PaddedBatch> {
  readonly batchSize: number;
  /** The lengths to which batches are padded. */
  readonly boundaries: readonly number[];
  /** Number of batches in each epoch. */
  readonly stepsPerEpoch: number;
  readonly #padding: PaddedSequences;
  readonly #labels: BucketLoaderOptions["labels"];
  readonly #options: BucketLoaderOptions;
  readonly #key: Key;
  /** The numbers of the examples of each bucket. */
  readonly #buckets: readonly Uint32Array[];
  /** The epoch of the next loop over the loader. */
  #next = 0;

  constructor(options: BucketLoaderOptions) {
    const op = "BucketLoader";
    checkOptions<BucketLoaderOptions>(op, options, {
      ...PADDING,
      sequences: true,
      labels: true,
      labelValue: true,
      batchSize: true,
      boundaries: true,
      shuffle: "boolean",
      dropLast: "boolean",
      seed: true,
    });
    const { sequences, labels, labelValue = -100, batchSize, dropLast, seed = 0 } = options;
    const facts = checkSequences(op, sequences);
    checkPaddingOptions(op, options);
    checkSizes(op, { batchSize });
    const isLabel = (x: unknown) => isInteger(x, -(2 ** 31), 2 ** 31 - 1);
    checkEach(op, { labelValue }, isLabel, "a 32-bit integer");
    if (labels !== undefined) checkLabels(op, labels, sequences);
    this.#options = { ...options, labelValue };
    this.#labels = labels;
    this.#key = keyFromSeed(seed, op);
    this.batchSize = batchSize;
    this.boundaries = boundariesOf(op, options.boundaries, facts);
    this.#padding = { op, sequences, ...facts, options };
    this.#buckets = bucketsOf(sequences, this.boundaries);
    const counts = this.#buckets.map(({ length }) => length / batchSize);
    this.stepsPerEpoch = counts
      .map(dropLast ? Math.floor : Math.ceil)
      .reduce((sum, count) => sum + count, 0);
    if (this.stepsPerEpoch > 0) return;
    throw new ShapeError(
      `${op}: batchSize ${batchSize} with dropLast leaves no batch of ${sequences.length} sequences ` +
        `in ${counts.length} buckets; expected a smaller one`,
    );
  }

  /**
   * Gives the batches of an epoch, numbered from 0; the caller disposes each.
   * @throws GradusError for another number than an integer from 0 to 2³² − 1.
   */
  *epoch(epoch: number): Generator<PaddedBatch, void, undefined> {
    checkCounter("BucketLoader", { epoch });
    const { shuffle = true } = this.#options;
    const key = foldIn(this.#key, epoch);
    const batches = this.#buckets.flatMap((bucket, i) =>
      this.#cut(bucket, i, shuffle ? key : null),
    );
    const order = shuffle ? permutation(foldIn(key, this.#buckets.length), batches.length) : null;
    for (const i of order ?? batches.keys()) yield this.#batch(batches[i]);
  }

  /** Gives the next epoch's batches, from epoch 0; the caller disposes each. */
  [Symbol.iterator](): Generator<PaddedBatch, void, undefined> {
    return this.epoch(this.#next++);
  }

  /** What the batches depend on beside the sequences; a run's checkpoint keeps and compares it. */
  get fingerprint(): Readonly<Record<string, string | number | boolean>> {
    const { batchSize, boundaries } = this;
    const { seed = 0, shuffle = true, dropLast = false, sequences } = this.#options;
    const size = sequences.length;
    return { seed, batchSize, size, shuffle, dropLast, boundaries: boundaries.join(" ") };
  }

  /** Cuts a bucket into batches, in the order that a key gives. */
  #cut(bucket: Uint32Array, i: number, key: Key | null): { bucket: number; chosen: Uint32Array }[] {
    const order = key && permutation(foldIn(key, i), bucket.length);
    const examples = order ? order.map((place) => bucket[place]) : bucket;
    const { batchSize } = this;
    const count = examples.length / batchSize;
    const length = this.#options.dropLast ? Math.floor(count) : Math.ceil(count);
    return Array.from({ length }, (_, k) => {
      return { bucket: i, chosen: examples.subarray(k * batchSize, (k + 1) * batchSize) };
    });
  }

  #batch({ bucket, chosen }: { bucket: number; chosen: Uint32Array }): PaddedBatch {
    const length = this.boundaries[bucket];
    const named = Object.entries(padded(this.#padding, chosen, length));
    if (this.#labels !== undefined) {
      named.push(["labels", this.#labelsOf(this.#labels, chosen, length)]);
    }
    return new BatchTensors(named, []) as unknown as PaddedBatch;
  }

  #labelsOf(
    labels: NonNullable<BucketLoaderOptions["labels"]>,
    chosen: Uint32Array,
    length: number,
  ): Tensor {
    const { device, side, labelValue: value } = this.#options;
    if (typeof labels[0] === "number") {
      const own = Int32Array.from(chosen, (i) => (labels as ArrayLike<number>)[i]);
      return tensor(own, { device });
    }
    const sequences = labels as readonly ArrayLike<number>[];
    const options: PaddingOptions = { value, side, dtype: "i32", device };
    const { x, lengths, mask } = padded(
      { op: "BucketLoader", sequences, longest: length, features: null, options },
      chosen,
      length,
    );
    lengths.dispose();
    mask.dispose();
    return x;
  }
}

function boundariesOf(
  op: string,
  given: readonly number[] | undefined,
  { longest }: SequenceFacts,
): readonly number[] {
  if (given === undefined) {
    const own: number[] = [];
    for (let length = FIRST; length < longest; length *= 2) own.push(length);
    return [...own, longest];
  }
  const ascends =
    Array.isArray(given) && given.every((x, i) => isInteger(x, (given[i - 1] ?? -1) + 1));
  if (ascends && given.length > 0 && given[given.length - 1] >= longest) return [...given];
  throw new ShapeError(
    `${op}: boundaries ${Array.isArray(given) ? list(given) : describeValue(given)}; ` +
      `expected ascending integers, the last of them from ${longest}`,
  );
}

/** The numbers of the sequences that fit each boundary and none before it. */
function bucketsOf(sequences: readonly Sequence[], boundaries: readonly number[]): Uint32Array[] {
  const buckets: number[][] = boundaries.map(() => []);
  for (const [i, { length }] of sequences.entries()) {
    buckets[boundaries.findIndex((boundary) => length <= boundary)].push(i);
  }
  return buckets.map((bucket) => Uint32Array.from(bucket));
}

function checkLabels(
  op: string,
  labels: NonNullable<BucketLoaderOptions["labels"]>,
  sequences: readonly Sequence[],
): void {
  if (typeof labels !== "object" || labels?.length !== sequences.length) {
    const given = Number.isSafeInteger(labels?.length) ? labels.length : describeValue(labels);
    throw new ShapeError(`${op}: labels ${given}; expected one for each of ${sequences.length}`);
  }
  const isLabel = (x: unknown) => isInteger(x, -(2 ** 31), 2 ** 31 - 1);
  const ofElements = typeof labels[0] !== "number";
  for (const [i, { length }] of sequences.entries()) {
    const label = labels[i];
    const own = ofElements ? label : [label];
    const isList = typeof own === "object" && own?.length === (ofElements ? length : 1);
    if (isList && Array.from(own as ArrayLike<unknown>).every(isLabel)) continue;
    const expected = ofElements ? `${length} integers, one for each element` : "an integer";
    throw new GradusError(
      `${op}: labels of sequence ${i} ${describeValue(label)}; expected ${expected}`,
    );
  }
}
