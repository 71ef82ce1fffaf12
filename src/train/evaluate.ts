import { checkOptions, checkSizes } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { Breather } from "../core/event-loop.ts";
import { release } from "../core/release.ts";
import { type Batch, type Dataset, examplesOf } from "../data/dataset.ts";
import { BatchSampler } from "../data/sampler.ts";
import { correct } from "../metrics/accuracy.ts";
import { inMode } from "../nn/mode.ts";
import type { AnyModule, Module } from "../nn/module.ts";
import { cast } from "../ops/cast.ts";
import { sum } from "../ops/reduce.ts";
import { checkDatasets, checkMethods } from "./check-options.ts";

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
 * @throws GradusError for bad options, and when `signal` stops it.
 */
export async function evaluateAccuracy(
  model: Module,
  dataset: Dataset<Batch>,
  options: EvaluateOptions = {},
): Promise<number> {
  checkEvaluation("evaluateAccuracy", model, dataset, options);
  return accuracyOver("evaluateAccuracy", model, dataset, options);
}

/** What `evaluateAccuracy` does, whose errors speak as `op`. */
export async function accuracyOver(
  op: string,
  model: Module,
  dataset: Dataset<Batch>,
  options: EvaluateOptions,
): Promise<number> {
  const [right] = await sumBatches(op, dataset, options, async (batch) => [
    await countCorrect(op, model, batch),
  ]);
  return right / dataset.size;
}

/** Throws a `GradusError`, as `op`, for what cannot be evaluated. */
export function checkEvaluation(
  op: string,
  model: AnyModule,
  dataset: Dataset<unknown>,
  options: EvaluateOptions,
): void {
  checkMethods(op, { model }, ["call", "modules"], "a Module");
  checkDatasets(op, { dataset });
  checkOptions<EvaluateOptions>(op, options, { batchSize: "number", signal: true });
  if (options.batchSize !== undefined) checkSizes(op, { batchSize: options.batchSize });
}

/**
 * Adds up what is measured on each batch of a data set; some batches' reads are under way while the
 * next one is enqueued. `measure` may use the batch until it returns its promise.
 */
export async function sumBatches<B>(
  op: string,
  dataset: Dataset<B>,
  { batchSize = 1000, signal }: EvaluateOptions,
  measure: (batch: B, count: number) => Promise<readonly number[]>,
): Promise<number[]> {
  const size = Math.min(batchSize, dataset.size);
  const sampler = new BatchSampler({ size: dataset.size, batchSize: size, shuffle: false });
  const reads: Promise<readonly number[]>[] = [];
  const breather = new Breather();
  const sums: number[] = [];
  const take = (values: readonly number[]) => {
    for (const [i, value] of values.entries()) sums[i] = (sums[i] ?? 0) + value;
  };
  try {
    for (const indices of sampler.epoch(0)) {
      if (signal?.aborted) throw stopped(op);
      const batch = await dataset.batch(indices);
      try {
        const read = measure(batch, indices.length);
        read.catch(() => {}); // told when it is taken, which may be many tasks later
        reads.push(read);
      } finally {
        release(batch);
      }
      if (reads.length > AHEAD) take((await reads.shift()) as readonly number[]);
      await breather.rest();
    }
    for (const values of await Promise.all(reads)) take(values);
  } finally {
    await Promise.allSettled(reads);
  }
  return sums;
}

function stopped(op: string): GradusError {
  return new GradusError(`${op}: stopped by its signal; expected to run to the end`);
}

/** Enqueues at once, so that the batch may be disposed, and frees what it made when it is read. */
async function countCorrect(op: string, model: Module, batch: Batch): Promise<number> {
  const [x, classes] = examplesOf(op, batch);
  const logits = inMode(model, false, () => model.call(x));
  const total = sum(cast(correct(logits, classes), "u32"));
  try {
    return await total.item();
  } finally {
    total.dispose();
  }
}
