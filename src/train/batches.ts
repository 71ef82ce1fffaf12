import { describeValue, isInteger } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { allPartsOf, type Place, walk } from "../core/tree.ts";
import { Tensor } from "../graph/tensor.ts";

/** Gives batches epoch by epoch, as `DataLoader` does. */
export interface Loader<B> {
  /** Number of batches in each epoch; Infinity where only the end of one tells. */
  readonly stepsPerEpoch: number;
  /** Gives the batches of an epoch, numbered from 0, for the caller to dispose. */
  epoch(epoch: number): AsyncIterable<B> | Iterable<B>;
  /** Gives the batch of a step, counted over all epochs, as a graph that uploads nothing. */
  readonly batchAt?: ((step: Tensor) => B) | undefined;
  /** Examples in each batch of `batchAt`, by which a step's loss is weighed; 1 when left out. */
  readonly batchSize?: number;
  /** What its batches depend on, such as a seed, which a run's checkpoint keeps and compares. */
  readonly fingerprint?: Fingerprint;
}

/** What tells runs apart, by name. */
export type Fingerprint = Readonly<Record<string, string | number | boolean>>;

/** Where `train` and `fit` get their batches from. */
export type BatchSource<B> = Loader<B> | AsyncIterable<B> | Iterable<B>;

/** A source of batches as a loader. */
export interface Batches<B> extends Loader<B> {
  /** Infinity until an epoch has been gone through, of a source that does not tell. */
  readonly stepsPerEpoch: number;
  /** Whether the batches are to be freed after their step. */
  readonly givesAway: boolean;
}

/**
 * Makes a loader of what was given as one: a list's batches stay its owner's, and those of other
 * iterables are given away as a loader's are. Speaks as `op`.
 */
export function batchesOf<B>(op: string, source: BatchSource<B>): Batches<B> {
  if (isLoader(source)) {
    const { stepsPerEpoch } = source;
    const isEndless = stepsPerEpoch === Number.POSITIVE_INFINITY;
    if (isEndless || isInteger(stepsPerEpoch, 1)) return givenAway(source);
    const given = `a loader with stepsPerEpoch ${stepsPerEpoch}`;
    throw new GradusError(`${op}: ${given}; expected an integer from 1`);
  }
  if (Array.isArray(source)) {
    if (source.length === 0) {
      throw new GradusError(`${op}: loader with no batches; expected at least one`);
    }
    return { stepsPerEpoch: source.length, epoch: () => source, givesAway: false };
  }
  if (isIterable(source)) {
    return { stepsPerEpoch: Number.POSITIVE_INFINITY, epoch: () => source, givesAway: true };
  }
  const isDataset = typeof (source as { batch?: unknown } | null | undefined)?.batch === "function";
  const advice = isDataset ? ". Did you mean new DataLoader({ dataset, batchSize })?" : "";
  throw new GradusError(
    `${op}: loader ${describeValue(source)}; expected a DataLoader, ` +
      `a list or another iterable of batches, or an object with stepsPerEpoch and epoch${advice}`,
  );
}

function givenAway<B>(loader: Loader<B>): Batches<B> {
  return {
    stepsPerEpoch: loader.stepsPerEpoch,
    epoch: (epoch) => loader.epoch(epoch),
    batchAt: loader.batchAt?.bind(loader),
    batchSize: loader.batchSize,
    fingerprint: loader.fingerprint,
    givesAway: true,
  };
}

function isLoader<B>(source: BatchSource<B> | null | undefined): source is Loader<B> {
  return typeof (source as Loader<B> | null | undefined)?.epoch === "function";
}

/** An epoch's batches, if they can be gone through; else throws a `GradusError`, as `op`. */
export function checkedBatches<B>(
  op: string,
  batches: AsyncIterable<B> | Iterable<B>,
  epoch: number,
): AsyncIterable<B> | Iterable<B> {
  if (isIterable<B>(batches)) return batches;
  const given = `loader gave ${describeValue(batches)} for epoch ${epoch}`;
  throw new GradusError(`${op}: ${given}; expected an iterable of batches`);
}

function isIterable<B>(source: unknown): source is Iterable<B> | AsyncIterable<B> {
  if (typeof source !== "object" || source === null) return false;
  return Symbol.asyncIterator in source || Symbol.iterator in source;
}

/**
 * The number of a batch's examples: its `size` if it has one, else the first axis of its first
 * tensor; 1 where neither tells.
 */
export function examplesIn(batch: unknown): number {
  const { size } = (batch ?? {}) as { size?: unknown };
  if (!(batch instanceof Tensor) && Number.isSafeInteger(size)) return size as number;
  return firstTensor(batch)?.shape[0] ?? 1;
}

/** The first tensor of rank 1 or more in a batch, in whatever objects. */
function firstTensor(batch: unknown): Tensor | undefined {
  let first: Tensor | undefined;
  const open = (part: unknown, { isCycle }: Place) => {
    return first || isCycle || part instanceof Tensor ? null : allPartsOf(part);
  };
  walk(batch, open, (part) => {
    if (part instanceof Tensor && part.rank > 0) first ??= part;
  });
  return first;
}
