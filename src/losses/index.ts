export { type AngleHeadOptions, type Annealing, ASoftmax, LSoftmax } from "../heads/angle-heads.ts";
export { CenterLoss, type CenterLossOptions } from "../heads/center-loss.ts";
export {
  ArcFace,
  type ArcFaceHeadOptions,
  CosFace,
  type CosineHeadOptions,
  NormSoftmax,
  type NormSoftmaxOptions,
} from "../heads/cosine-heads.ts";
export { MarginHead, type MarginHeadOptions } from "../heads/margin-head.ts";
export {
  type HuberOptions,
  huber,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  type PinballOptions,
  pinball,
  type SmoothL1Options,
  smoothL1,
} from "./absolute-error.ts";
export {
  type BinaryOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
} from "./binary.ts";
export { centerLoss } from "./center.ts";
export { type CircleOptions, circle } from "./circle.ts";
export { type ContrastiveOptions, contrastive } from "./contrastive.ts";
export {
  type InfoNCEOptions,
  infoNCE,
  ntXent,
  supervisedContrastive,
  type TemperatureOptions,
} from "./contrasts.ts";
export { type CosineOptions, cosineDistance, cosineSimilarity } from "./cosine.ts";
export { type CrossEntropyOptions, crossEntropy } from "./cross-entropy.ts";
export { type CTCOptions, ctc } from "./ctc.ts";
export { type DiceOptions, dice } from "./dice.ts";
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
export {
  type AdditiveMarginOptions,
  type ArcFaceOptions,
  arcFaceLogits,
  cosFaceLogits,
  type LargeMarginOptions,
  largeMarginLogits,
} from "./margins.ts";
export { type MultiSimilarityOptions, multiSimilarity } from "./multi-similarity.ts";
export { type MarginRankingOptions, marginRanking } from "./ranking.ts";
export type { LossOptions, Reduction } from "./reduction.ts";
export { smoothLabels } from "./smooth-labels.ts";
export {
  l2Loss,
  meanSquaredError,
  meanSquaredLogarithmicError,
  quadratic,
  sumOfSquares,
} from "./squared-error.ts";
export {
  type TripletDistance,
  type TripletOptions,
  type TripletSettings,
  triplet,
} from "./triplet.ts";
export { type TripletMinedOptions, type TripletMining, tripletMined } from "./triplet-mined.ts";
