import { GradusError } from "../core/errors.ts";
import type { Batch, Dataset } from "../data/dataset.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Module } from "../nn/module.ts";
import type { TrainEvent } from "./events.ts";
import type { TrainStepOptions } from "./train-step.ts";
import { Training } from "./training.ts";

/** Gives batches epoch by epoch, as `DataLoader` does. */
export interface Loader<B> {
  /** Number of batches in each epoch. */
  readonly stepsPerEpoch: number;
  epoch(epoch: number): AsyncIterable<B> | Iterable<B>;
  /** Gives the batch of a step, counted over all epochs, as a graph that uploads nothing. */
  readonly batchAt?: ((step: Tensor) => B) | undefined;
}

/** Options of `train`. */
export interface TrainOptions<M extends Module, B extends Disposable>
  extends Omit<TrainStepOptions<M, B>, "batchAt" | "history"> {
  /** Gives the batches; with `batchAt`, steps take them from the device's own counter. */
  loader: Loader<B>;
  /** How many times the data set is gone through. */
  epochs: number;
  /** Stops between two steps; the weights stay as they are then. */
  signal?: AbortSignal;
  /** Steps between two `step` events; 10 when left out. */
  metricsEvery?: number;
  /** How many batches give one change of the parameters, as in `accumulatedStep`; 1 when left out. */
  accumulate?: number;
  /** Steps done before, as a checkpoint tells; training goes on at the next one. */
  startStep?: number;
  /** Held-out examples on which the loss and the metrics are measured after each epoch. */
  validationData?: Dataset<B>;
  /** Examples on which `trainAccuracy` is measured after each epoch. */
  trainData?: Dataset<Batch>;
  /** Examples on which `testAccuracy` is measured after each epoch. */
  testData?: Dataset<Batch>;
  /** Examples a batch when measuring after an epoch; 1000 when left out. */
  evaluationBatchSize?: number;
}

/**
 * Trains a model and reports how it goes.
 *
 * Losses are read some steps behind the step being enqueued, so the device never waits for a
 * report, and other tasks get their turn between steps. Leaving the loop stops the training.
 * @throws GradusError for bad numbers, and what the loss, the loader and the device throw.
 * @example
 * for await (const report of train({ model, optimizer, loss, loader, epochs: 10 })) {
 *   console.log(report.event, report.step, report.loss);
 * }
 */
export function train<M extends Module, B extends Disposable>(
  options: TrainOptions<M, B>,
): AsyncGenerator<TrainEvent, void, undefined> {
  checkRun(options);
  return run(new Training(options));
}

async function* run<M extends Module, B extends Disposable>(
  training: Training<M, B>,
): AsyncGenerator<TrainEvent, void, undefined> {
  try {
    yield* training.run();
  } finally {
    await training.close();
  }
}

/** Throws a `GradusError` for numbers of steps and epochs that make no run. */
export function checkRun<M extends Module, B extends Disposable>(
  options: TrainOptions<M, B>,
): void {
  const { epochs, metricsEvery = 10, startStep = 0 } = options;
  checkCount("epochs", epochs, 0);
  checkCount("metricsEvery", metricsEvery, 1);
  checkCount("startStep", startStep, 0);
}

function checkCount(name: string, value: number, low: number): void {
  if (Number.isSafeInteger(value) && value >= low) return;
  throw new GradusError(`train: ${name} ${value}; expected an integer from ${low}`);
}
