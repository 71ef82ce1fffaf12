export { Adadelta, type AdadeltaOptions } from "./adadelta.ts";
export { Adafactor, type AdafactorOptions } from "./adafactor.ts";
export { Adagrad, type AdagradOptions } from "./adagrad.ts";
export { Adam, type AdamOptions, AdamW } from "./adam.ts";
export { Adamax, type AdamaxOptions } from "./adamax.ts";
export type { AdaptiveMomentsOptions } from "./adaptive-moments.ts";
export { ASGD, type ASGDOptions } from "./asgd.ts";
export { type ClipOptions, type ClippedGradients, clipByGlobalNorm, clipByValue } from "./clip.ts";
export {
  type CosineRestartsOptions,
  type CyclicMode,
  type CyclicOptions,
  cosineRestarts,
  cyclic,
  type OneCycleOptions,
  oneCycle,
} from "./cycles.ts";
export { LAMB, type LAMBOptions } from "./lamb.ts";
export type { Schedule } from "./learning-rate.ts";
export { Lion, type LionOptions } from "./lion.ts";
export { exponentialMovingAverage, type MovingAverageOptions } from "./moving-average.ts";
export { Muon, type MuonOptions } from "./muon.ts";
export { NAdam, type NAdamOptions } from "./nadam.ts";
export {
  type Assignment,
  type Clip,
  Optimizer,
  type OptimizerLike,
  type OptimizerOptions,
  type Parameters,
} from "./optimizer.ts";
export { OptimizerGroup, type OptimizerGroupOptions } from "./optimizer-group.ts";
export {
  joinSchedules,
  type MultiStepDecayOptions,
  multiStepDecay,
  piecewiseConstant,
} from "./piecewise.ts";
export { RAdam, type RAdamOptions } from "./radam.ts";
export {
  type PlateauState,
  type RateHolder,
  ReduceOnPlateau,
  type ReduceOnPlateauOptions,
} from "./reduce-on-plateau.ts";
export { RMSprop, type RMSpropOptions } from "./rmsprop.ts";
export { Rprop, type RpropOptions } from "./rprop.ts";
export { SAM, type SAMOptions } from "./sam.ts";
export {
  type CosineDecayOptions,
  constantRate,
  cosineDecay,
  type ExponentialDecayOptions,
  exponentialDecay,
  type InverseTimeDecayOptions,
  inverseTimeDecay,
  type LinearWarmupOptions,
  linearWarmup,
  type PolynomialDecayOptions,
  polynomialDecay,
  type StepDecayOptions,
  stepDecay,
} from "./schedules.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
export { splitByName } from "./split-by-name.ts";
export { WeightAverage, type WeightAverageOptions } from "./weight-average.ts";
