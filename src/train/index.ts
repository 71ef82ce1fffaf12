export { nextTask } from "../core/event-loop.ts";
export { type EvaluateOptions, evaluateAccuracy } from "./evaluate.ts";
export type { EpochEvent, StepEvent, TrainEvent } from "./events.ts";
export { GeneticAlgorithm } from "./genetic-algorithm.ts";
export type { Crossover, Selection } from "./genetic-operators.ts";
export type { GeneticAlgorithmOptions } from "./genetic-settings.ts";
export {
  type GradientDescentOptions,
  type GradientDescentPoint,
  type GradientDescentResult,
  gradientDescent,
} from "./gradient-descent.ts";
export { type NumericalGradientOptions, numericalGradient } from "./numerical-gradient.ts";
export { lossPerIndividual } from "./population.ts";
export { type Loader, type TrainOptions, train } from "./train.ts";
export {
  type BatchFunction,
  type LossFunction,
  type StepRecord,
  type TrainStep,
  type TrainStepOptions,
  trainStep,
} from "./train-step.ts";
