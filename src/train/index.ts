export { nextTask } from "../core/event-loop.ts";
export {
  type AccumulatedStep,
  type AccumulatedStepOptions,
  accumulatedStep,
} from "./accumulate.ts";
export type { BatchSource, Fingerprint, Loader } from "./batches.ts";
export { BestWeights } from "./best-weights.ts";
export type { Callback, Run, RunEnd } from "./callback.ts";
export { Checkpoint, type CheckpointOptions } from "./checkpoint.ts";
export { csvLog } from "./csv-log.ts";
export { EarlyStopping, type EarlyStoppingOptions } from "./early-stopping.ts";
export { type EvaluateOptions, evaluateAccuracy } from "./evaluate.ts";
export { evaluateMeans } from "./evaluate-means.ts";
export type {
  DeviceLostEvent,
  EpochEvent,
  MetricMeans,
  RecoveredEvent,
  StepEvent,
  TrainEvent,
} from "./events.ts";
export { type FitOptions, type FitResult, fit } from "./fit.ts";
export { GeneticAlgorithm } from "./genetic-algorithm.ts";
export type { Crossover, Selection } from "./genetic-operators.ts";
export type { GeneticAlgorithmOptions } from "./genetic-settings.ts";
export {
  type GradientDescentOptions,
  type GradientDescentPoint,
  type GradientDescentResult,
  gradientDescent,
} from "./gradient-descent.ts";
export type { Monitor, MonitorOptions } from "./monitor.ts";
export { NonFiniteLossError, type OnNonFinite } from "./non-finite.ts";
export { type NumericalGradientOptions, numericalGradient } from "./numerical-gradient.ts";
export { type MetricListener, onMetric } from "./on-metric.ts";
export { lossPerIndividual } from "./population.ts";
export {
  type ProgressReport,
  type ProgressSink,
  pageBar,
  progressBar,
  type TerminalStream,
  terminalBar,
} from "./progress.ts";
export { type TrainOptions, train } from "./train.ts";
export {
  type BatchFunction,
  type LossFunction,
  type StepRecord,
  type TrainStep,
  type TrainStepOptions,
  trainStep,
  type Updater,
} from "./train-step.ts";
