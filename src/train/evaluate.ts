import { GradusError } from "../core/errors.ts";
import { Breather } from "../core/event-loop.ts";
import type { Batch, Dataset } from "../data/dataset.ts";
import { BatchSampler } from "../data/sampler.ts";
import type { Tensor } from "../graph/tensor.ts";
import { correct } from "../metrics/accuracy.ts";
import { inMode } from "../nn/mode.ts";
import type { Module } from "../nn/module.ts";
import { sum } from "../ops/broadcast.ts";
import { cast } from "../ops/cast.ts";

/** Options of `evaluateAccuracy`. */
export interface EvaluateOptions {
  /** Examples a batch; 1000 when left out. */
  batchSize?: number;
  /** Stops between batches. */
  signal?: AbortSignal;
}

/** Batches whose counts may be under way. */
const AHEAD = 4;

/**
 * Computes the share of a data set's examples that a model in evaluation mode classifies right, in
 * [0, 1]. The model's own mode stays as it is.
 * @throws GradusError when `signal` stops it.
 */
export async function evaluateAccuracy(
  model: Module,
  dataset: Dataset<Batch>,
  options: EvaluateOptions = {},
): Promise<number> {
  const { batchSize = 1000, signal } = options;
  const size = Math.min(batchSize, dataset.size);
  const sampler = new BatchSampler({ size: dataset.size, batchSize: size, shuffle: false });
  const counts: Promise<number>[] = [];
  const breather = new Breather();
  let right = 0;
  try {
    for (const indices of sampler.epoch(0)) {
      if (signal?.aborted) throw stopped();
      using batch = await dataset.batch(indices);
      counts.push(countCorrect(model, batch));
      if (counts.length > AHEAD) right += (await counts.shift()) as number;
      await breather.rest();
    }
    for (const count of await Promise.all(counts)) right += count;
  } finally {
    await Promise.allSettled(counts);
  }
  return right / dataset.size;
}

function stopped(): GradusError {
  return new GradusError("evaluateAccuracy: stopped by its signal; expected to run to the end");
}

/** Enqueues at once, so that the batch may be disposed, and frees what it made when it is read. */
async function countCorrect(model: Module, { images, labels }: Batch): Promise<number> {
  const logits = inMode(model, false, () => model.call(images));
  const total: Tensor = sum(cast(correct(logits, labels), "u32"));
  try {
    return await total.item();
  } finally {
    total.dispose();
  }
}
