import { dispose } from "../core/dispose.ts";
import { GradusError } from "../core/errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Dataset } from "./dataset.ts";
import { prefetch } from "./prefetch.ts";
import { BatchSampler, type BatchSamplerOptions } from "./sampler.ts";

/** Options of `DataLoader`. */
export interface DataLoaderOptions<B extends Disposable> extends Omit<BatchSamplerOptions, "size"> {
  dataset: Dataset<B>;
  /** How many batches are fetched ahead; 0 when left out. For data sets that are slow to read. */
  prefetch?: number;
}

/**
 * Cuts a data set into batches, epoch by epoch; an epoch depends on the options and its number only.
 * @throws ShapeError or GradusError for bad options, as `BatchSampler` does.
 * @example
 * const loader = new DataLoader({ dataset, batchSize: 100, seed: 1 });
 * for await (using batch of loader.epoch(0)) step(batch);
 */
export class DataLoader<B extends Disposable> {
  readonly dataset: Dataset<B>;
  /** Numbers the examples of each batch; `DeviceDataset.batchAt` takes it too. */
  readonly sampler: BatchSampler;
  readonly batchSize: number;
  /** Number of batches in each epoch. */
  readonly stepsPerEpoch: number;
  readonly #depth: number;

  constructor(options: DataLoaderOptions<B>) {
    const { dataset, prefetch: depth = 0, ...sampling } = options;
    if (!Number.isSafeInteger(depth) || depth < 0) {
      throw new GradusError(`DataLoader: prefetch ${depth}; expected an integer from 0`);
    }
    this.dataset = dataset;
    this.sampler = new BatchSampler({ ...sampling, size: dataset.size });
    this.batchSize = this.sampler.batchSize;
    this.stepsPerEpoch = this.sampler.stepsPerEpoch;
    this.#depth = depth;
  }

  /** Gives the batches of an epoch, numbered from 0; the caller disposes each. */
  epoch(epoch: number): AsyncGenerator<B, void, undefined> {
    const batches = this.#batches(epoch);
    if (this.#depth === 0) return deliver(batches);
    return prefetch(batches, this.#depth, { onDrop: (batch) => batch[dispose]() });
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

  *#batches(epoch: number): Generator<B | Promise<B>, void, undefined> {
    for (const indices of this.sampler.epoch(epoch)) yield this.dataset.batch(indices);
  }
}

async function* deliver<B>(batches: Iterable<B | Promise<B>>): AsyncGenerator<B, void, undefined> {
  for (const batch of batches) yield await batch;
}
