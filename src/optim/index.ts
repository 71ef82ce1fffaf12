export { Adam, type AdamOptions, AdamW } from "./adam.ts";
export { type ClippedGradients, clipByGlobalNorm, clipByValue } from "./clip.ts";
export type { Schedule } from "./learning-rate.ts";
export {
  type Assignment,
  type Clip,
  Optimizer,
  type OptimizerOptions,
  type Parameters,
} from "./optimizer.ts";
export { RMSprop, type RMSpropOptions } from "./rmsprop.ts";
export {
  type CosineDecayOptions,
  constant,
  cosineDecay,
  type ExponentialDecayOptions,
  exponentialDecay,
  type LinearWarmupOptions,
  linearWarmup,
  type StepDecayOptions,
  stepDecay,
} from "./schedules.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
