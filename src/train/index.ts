export { BestWeights } from "../callbacks/best-weights.ts";
export { Checkpoint, type CheckpointOptions } from "../callbacks/checkpoint.ts";
export { csvLog } from "../callbacks/csv-log.ts";
export { EarlyStopping, type EarlyStoppingOptions } from "../callbacks/early-stopping.ts";
export type { Monitor, MonitorOptions } from "../callbacks/monitor.ts";
export { type MetricListener, onMetric } from "../callbacks/on-metric.ts";
export {
  type ProgressReport,
  type ProgressSink,
  pageBar,
  progressBar,
  type TerminalStream,
  terminalBar,
} from "../callbacks/progress.ts";
export { nextTask } from "../core/event-loop.ts";
export { GeneticAlgorithm } from "../search/genetic-algorithm.ts";
export type { Crossover, Selection } from "../search/genetic-operators.ts";
export type { GeneticAlgorithmOptions } from "../search/genetic-settings.ts";
export {
  type GradientDescentOptions,
  type GradientDescentPoint,
  type GradientDescentResult,
  gradientDescent,
} from "../search/gradient-descent.ts";
export {
  type LBFGSEnd,
  type LBFGSOptions,
  type LBFGSResult,
  lbfgs,
} from "../search/lbfgs.ts";
export { type NumericalGradientOptions, numericalGradient } from "../search/numerical-gradient.ts";
export { lossPerIndividual } from "../search/population.ts";
export {
  type AccumulatedStep,
  type AccumulatedStepOptions,
  accumulatedStep,
} from "./accumulate.ts";
export type { BatchSource, Fingerprint, Loader } from "./batches.ts";
export type { Callback, Run, RunEnd } from "./callback.ts";
export { type EvaluateOptions, evaluateAccuracy } from "./evaluate.ts";
export { evaluateMeans } from "./evaluate-means.ts";
export type {
  DeviceChosenEvent,
  DeviceLostEvent,
  EpochEvent,
  MeasureEvent,
  Measures,
  MetricMeans,
  RecoveredEvent,
  StepEvent,
  TrainEvent,
} from "./events.ts";
export { type FitOptions, type FitResult, fit } from "./fit.ts";
export { NonFiniteLossError, type NonFinitePlace, type OnNonFinite } from "./non-finite.ts";
export { RunControl } from "./run-control.ts";
export { train } from "./train.ts";
export type { TrainOptions } from "./train-options.ts";
export {
  type BatchFunction,
  type Captured,
  type LossFunction,
  type StepRecord,
  type TrainStep,
  type TrainStepOptions,
  trainStep,
  type Updater,
} from "./train-step.ts";
