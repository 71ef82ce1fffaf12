import { checkCounts, checkOptions, describeValue } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { release } from "../core/release.ts";
import { checkSampling, SAMPLING } from "../core/sampling.ts";
import type { Tensor } from "../graph/tensor.ts";
import { checkCounter } from "./checks.ts";
import type { Dataset } from "./dataset.ts";
import { prefetch } from "./prefetch.ts";
import { BatchSampler, type BatchSamplerOptions } from "./sampler.ts";

/** Options of `DataLoader`. */
export interface DataLoaderOptions<B> extends Omit<BatchSamplerOptions, "size"> {
  dataset: Dataset<B>;
  /** How many batches are fetched ahead; 0 when left out. For data sets that are slow to read. */
  prefetch?: number;
}

/**
 * Cuts a data set into batches, epoch by epoch; an epoch depends on the options and its number only.
 * A loop over the loader itself gives one epoch: the first loop epoch 0, the next one epoch 1.
 * @throws ShapeError or GradusError for bad options, as `BatchSampler` does.
 * @example
 * const loader = new DataLoader({ dataset, batchSize: 100, seed: 1 });
 * for await (const batch of loader) {
 *   await step(batch);
 *   batch.dispose();
 * }
 */
export class DataLoader<B> implements AsyncIterable<B> {
  readonly dataset: Dataset<B>;
  /** Numbers the examples of each batch; `DeviceDataset.batchAt` takes it too. */
  readonly sampler: BatchSampler;
  readonly batchSize: number;
  /** Number of batches in each epoch. */
  readonly stepsPerEpoch: number;
  readonly #depth: number;
  /** The epoch of the next loop over the loader. */
  #next = 0;

  constructor(options: DataLoaderOptions<B>) {
    checkLoader(options);
    const { dataset, prefetch: depth = 0, ...sampling } = options;
    this.dataset = dataset;
    this.sampler = new BatchSampler({ ...sampling, size: dataset.size });
    this.batchSize = this.sampler.batchSize;
    this.stepsPerEpoch = this.sampler.stepsPerEpoch;
    this.#depth = depth;
  }

  /**
   * Gives the batches of an epoch, numbered from 0; the caller disposes each.
   * @throws GradusError for another number than an integer from 0 to 2³² − 1.
   */
  epoch(epoch: number): AsyncGenerator<B, void, undefined> {
    checkCounter("DataLoader", { epoch });
    const batches = this.#batches(epoch);
    if (this.#depth === 0) return deliver(batches);
    return prefetch(batches, this.#depth, { onDrop: release });
  }

  /** Gives the next epoch's batches, from epoch 0; the caller disposes each. */
  [Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    return this.epoch(this.#next++);
  }

  /**
   * Gives the batch of a step, a u32 scalar counted over all epochs, as a graph that uploads nothing:
   * the same batches as `epoch`. Undefined where the data set cannot, or the last batch is shorter.
   */
  get batchAt(): ((step: Tensor) => B) | undefined {
    const { dataset, sampler } = this;
    const isEven = sampler.dropLast || sampler.size % sampler.batchSize === 0;
    if (!dataset.batchAt || !isEven) return undefined;
    return (step) => dataset.batchAt?.(step, sampler) as B;
  }

  /** What the batches depend on beside the examples; a run's checkpoint keeps and compares it. */
  get fingerprint(): Readonly<Record<string, number | boolean>> {
    const { seed, batchSize, size, shuffle, replacement, dropLast } = this.sampler;
    return { seed, batchSize, size, shuffle, replacement, dropLast };
  }

  *#batches(epoch: number): Generator<B | Promise<B>, void, undefined> {
    for (const indices of this.sampler.epoch(epoch)) yield this.dataset.batch(indices);
  }
}

async function* deliver<B>(batches: Iterable<B | Promise<B>>): AsyncGenerator<B, void, undefined> {
  for (const batch of batches) yield await batch;
}

/** Throws for bad options, under the name that the caller knows. */
function checkLoader<B>(options: DataLoaderOptions<B>): void {
  const { size: _, ...known } = SAMPLING;
  const names = { dataset: true, ...known, prefetch: true } as const;
  checkOptions<DataLoaderOptions<B>>("DataLoader", options, names);
  const { dataset, prefetch: depth = 0, ...sampling } = options;
  if (typeof dataset?.batch !== "function") {
    const given = describeValue(dataset);
    throw new GradusError(`DataLoader: dataset is ${given}; expected one such as TensorDataset`);
  }
  checkCounts("DataLoader", { prefetch: depth });
  checkSampling("DataLoader", { ...sampling, size: dataset.size });
}
