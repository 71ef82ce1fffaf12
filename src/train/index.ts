export { evaluateAccuracy, type EvaluateOptions } from "./evaluate.ts";
export type { EpochEvent, StepEvent, TrainEvent } from "./events.ts";
export { type Loader, train, type TrainOptions } from "./train.ts";
export { type LossFunction, trainStep, type TrainStepOptions } from "./train-step.ts";
