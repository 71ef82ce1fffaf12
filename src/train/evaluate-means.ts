import { DTYPES, type DType } from "../core/dtype.ts";
import type { Dataset } from "../data/dataset.ts";
import { written } from "../engine/refusal.ts";
import type { Tensor } from "../graph/tensor.ts";
import { traceFunction } from "../graph/tracing.ts";
import { inMode } from "../nn/mode.ts";
import type { AnyModule } from "../nn/module.ts";
import { cast } from "../ops/cast.ts";
import { reshape } from "../ops/reshape.ts";
import { stack } from "../ops/slice.ts";
import { checkNamed } from "./check-options.ts";
import { checkEvaluation, type EvaluateOptions, sumBatches } from "./evaluate.ts";
import { type BatchFunction, checkScalar } from "./train-step.ts";

/**
 * Computes the means of a loss and metrics over a data set's examples, by name, with the model in
 * evaluation mode.
 *
 * Each is a mean over its batch; a shorter last batch counts by its examples. No state changes, not
 * even those that a loss assigns.
 * @throws GradusError for bad options and when `signal` stops it, ShapeError for a metric that is no
 * scalar, and what the functions and the data set throw.
 * @example
 * const means = await evaluateMeans(model, testData, {
 *   loss: (net, { images, labels }) => crossEntropy(net.call(images), labels),
 *   accuracy: (net, { images, labels }) => accuracy(net.call(images), labels),
 * });
 */
export async function evaluateMeans<M extends AnyModule, B, N extends string>(
  model: M,
  dataset: Dataset<B>,
  metrics: Readonly<Record<N, BatchFunction<M, B>>>,
  options: EvaluateOptions = {},
): Promise<Record<N, number>> {
  checkEvaluation("evaluateMeans", model, dataset, options);
  checkNamed("evaluateMeans", metrics);
  return meansOver("evaluateMeans", model, dataset, metrics, options);
}

/** What `evaluateMeans` does, whose errors speak as `op`. */
export async function meansOver<M extends AnyModule, B, N extends string>(
  op: string,
  model: M,
  dataset: Dataset<B>,
  metrics: Readonly<Record<N, BatchFunction<M, B>>>,
  options: EvaluateOptions,
): Promise<Record<N, number>> {
  const names = Object.keys(metrics) as N[];
  if (names.length === 0) return {} as Record<N, number>;
  const compute = (batch: B) => {
    return names.map((name) => {
      const value = metrics[name](model, batch);
      checkScalar(op, name, value);
      return value;
    });
  };
  const sums = await sumBatches(op, dataset, options, async (batch, count) => {
    let result: Tensor[];
    try {
      // Traced, so that states which a loss assigns, such as a counter, keep their values.
      ({ result } = traceFunction(() => inMode(model, false, () => compute(batch))));
    } catch (error) {
      throw await written(error);
    }
    const values = await readTogether(result);
    return values.map((value) => value * count);
  });
  const means = names.map((name, i) => [name, sums[i] / dataset.size] as const);
  return Object.fromEntries(means) as Record<N, number>;
}

/** Enqueues some scalars at once, and reads them with one copy. */
async function readTogether(values: readonly Tensor[]): Promise<number[]> {
  const finer = (a: DType, b: DType) => (DTYPES[b].epsilon < DTYPES[a].epsilon ? b : a);
  const dtype = values.map((x) => x.dtype).reduce(finer, "f32");
  const all = stack(values.map((x) => cast(reshape(x, []), dtype)));
  try {
    return Array.from(await all.data());
  } finally {
    all.dispose();
  }
}
