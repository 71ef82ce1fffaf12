export {
  type HuberOptions,
  huber,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  type QuantileOptions,
  quantile,
  type SmoothL1Options,
  smoothL1,
} from "./absolute-error.ts";
export {
  type BinaryOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
} from "./binary.ts";
export { type CosineOptions, cosineDistance, cosineSimilarity } from "./cosine.ts";
export { crossEntropy } from "./cross-entropy.ts";
export { type BinaryFocalOptions, binaryFocal, type FocalOptions, focal } from "./focal.ts";
export {
  categoricalHinge,
  hinge,
  type MultiMarginOptions,
  multiclassHinge,
  multiMargin,
  squaredHinge,
} from "./hinge.ts";
export {
  categoricalCrossEntropy,
  type DivergenceOptions,
  type GaussianOptions,
  gaussianNLL,
  klDivergence,
  negativeLogLikelihood,
  type PoissonOptions,
  poissonNLL,
} from "./likelihood.ts";
export type { LossOptions, Reduction } from "./reduction.ts";
export {
  l2Loss,
  meanSquaredError,
  meanSquaredLogarithmicError,
  quadratic,
  sumOfSquares,
} from "./squared-error.ts";
export {
  smoothLabels,
  type WeightedCrossEntropyOptions,
  weightedCrossEntropy,
} from "./weighted-cross-entropy.ts";
