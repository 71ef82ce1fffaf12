import { checkCounts, checkSizes, checkSteps, checkWords } from "../core/check.ts";
import type { Batch, Dataset } from "../data/dataset.ts";
import type { AnyModule } from "../nn/module.ts";
import type { BatchSource } from "./batches.ts";
import { checkDatasets, checkMethods, checkParts } from "./check-options.ts";
import type { OnNonFinite } from "./non-finite.ts";
import type { RunControl } from "./run-control.ts";
import type { TrainStepOptions } from "./train-step.ts";

/** Options of `train`. */
export interface TrainOptions<M extends AnyModule, B>
  extends Omit<TrainStepOptions<M, B>, "batchAt" | "history"> {
  /**
   * Gives the batches: a `DataLoader` or the like, or any iterable of batches, which each epoch goes
   * through once. With `batchAt`, steps take them from the device's own counter. A list's batches
   * stay yours; others are disposed when their step has been made. A batch has as many examples as
   * its `size` says, else as its first tensor has along axis 0; without either it counts as one.
   */
  loader: BatchSource<B>;
  /** How many times the data set is gone through. */
  epochs: number;
  /** Stops between two steps; the weights stay as they are then. */
  signal?: AbortSignal;
  /** Pauses training between two steps, and lets it go on. */
  control?: RunControl;
  /** Steps between two `step` events; 10 when left out. */
  metricsEvery?: number;
  /**
   * How many batches give one change of the parameters, as in `accumulatedStep`; 1 when left out.
   * The batches that are left at the end of an epoch give one together.
   */
  accumulate?: number;
  /**
   * Steps done before, as a checkpoint tells; training goes on at the next one. With `accumulate`,
   * where a change begins.
   */
  startStep?: number;
  /**
   * Whether a loss that is NaN or infinite ends training with a `NonFiniteLossError` ("stop", when
   * left out). Losses are read some steps behind; the error tells whose it is.
   */
  onNonFinite?: OnNonFinite;
  /**
   * Steps of an epoch between two measurements within it: what is measured after each epoch is then
   * also measured after these steps, and a `measure` event reports it. Only after the epoch when left out.
   */
  measureEvery?: number;
  /** Held-out examples on which the loss and the metrics are measured after each epoch. */
  validationData?: Dataset<B>;
  /** Examples on which `trainAccuracy` is measured after each epoch. */
  trainData?: Dataset<Batch>;
  /** Examples on which `testAccuracy` is measured after each epoch. */
  testData?: Dataset<Batch>;
  /** Examples a batch when measuring after an epoch; 1000 when left out. */
  evaluationBatchSize?: number;
}

/** Throws a `GradusError`, as `op`, for options that make no run. */
export function checkRun<M extends AnyModule, B>(op: string, options: TrainOptions<M, B>): void {
  checkParts(op, options);
  const { epochs, metricsEvery = 10, startStep = 0, accumulate = 1 } = options;
  const { onNonFinite = "stop", validationData, trainData, testData } = options;
  const { control, measureEvery = 1 } = options;
  checkCounts(op, { epochs, startStep });
  checkSteps(op, { metricsEvery, measureEvery, accumulate });
  if (control !== undefined) checkMethods(op, { control }, ["ready"], "a RunControl");
  checkWords(op, { onNonFinite }, ["stop", "ignore"]);
  const datasets = Object.entries({ validationData, trainData, testData });
  checkDatasets(op, Object.fromEntries(datasets.filter(([, data]) => data !== undefined)));
  const { evaluationBatchSize } = options;
  if (evaluationBatchSize !== undefined) checkSizes(op, { evaluationBatchSize });
}
