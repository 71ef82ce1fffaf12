import type { Batch, Dataset } from "../data/dataset.ts";
import type { AnyModule, Module } from "../nn/module.ts";
import { accuracyOver, type EvaluateOptions } from "./evaluate.ts";
import { meansOver } from "./evaluate-means.ts";
import type { Measures } from "./events.ts";
import type { TrainOptions } from "./train-options.ts";

/** Measures what a run's options ask for; null when stopped meanwhile. Errors speak as `op`. */
export async function measure<M extends AnyModule, B>(
  op: string,
  options: TrainOptions<M, B>,
): Promise<Measures | null> {
  const { model, trainData, testData, signal, evaluationBatchSize: batchSize } = options;
  const evaluation = { batchSize, signal };
  // A model that is no classifier has its logits refused.
  const classifier = model as AnyModule as Module;
  const accuracy = (data: Dataset<Batch>) => accuracyOver(op, classifier, data, evaluation);
  try {
    return {
      ...(await validate(op, options, evaluation)),
      ...(trainData && { trainAccuracy: await accuracy(trainData) }),
      ...(testData && { testAccuracy: await accuracy(testData) }),
    };
  } catch (error) {
    if (signal?.aborted) return null;
    throw error;
  }
}

async function validate<M extends AnyModule, B>(
  op: string,
  { model, loss, metrics = {}, validationData }: TrainOptions<M, B>,
  evaluation: EvaluateOptions,
): Promise<Measures> {
  if (!validationData) return {};
  const means = await meansOver(op, model, validationData, { ...metrics, loss }, evaluation);
  const { loss: validationLoss, ...validationMetrics } = means as Record<string, number>;
  const hasMetrics = Object.keys(metrics).length > 0;
  return { validationLoss, ...(hasMetrics && { validationMetrics }) };
}
