export { type AngleHeadOptions, type Annealing, ASoftmax, LSoftmax } from "./angle-heads.ts";
export { CenterLoss, type CenterLossOptions, centerLoss } from "./center.ts";
export { type ContrastiveOptions, contrastive } from "./contrastive.ts";
export {
  ArcFace,
  CosFace,
  type CosineHeadOptions,
  NormSoftmax,
  type NormSoftmaxOptions,
} from "./cosine-heads.ts";
export { crossEntropy } from "./cross-entropy.ts";
export { MarginHead, type MarginHeadOptions } from "./margin-head.ts";
export {
  type AdditiveMarginOptions,
  arcFaceLogits,
  cosFaceLogits,
  type LargeMarginOptions,
  largeMarginLogits,
} from "./margins.ts";
export type { LossOptions, Reduction } from "./reduction.ts";
export { meanSquaredError, quadratic } from "./squared-error.ts";
export {
  type TripletDistance,
  type TripletOptions,
  type TripletSettings,
  triplet,
} from "./triplet.ts";
export { type TripletMinedOptions, type TripletMining, tripletMined } from "./triplet-mined.ts";
