export { customGrad, stopGradient } from "../graph/custom-grad.ts";
export { elu, type GeluOptions, gelu, leakyRelu, silu } from "./activations.ts";
export {
  type AdaptiveMaxPoolOptions,
  type AdaptivePoolOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  type OutputSize,
} from "./adaptive-pool.ts";
export { putAlongAxis, scatter, scatterAdd, takeAlongAxis } from "./along-axis.ts";
export { alphaDropout, featureAlphaDropout } from "./alpha-dropout.ts";
export {
  add,
  clip,
  div,
  maximum,
  minimum,
  mul,
  neg,
  reciprocal,
  square,
  sub,
} from "./arithmetic.ts";
export { at } from "./at.ts";
export { type AttentionOptions, scaledDotProductAttention } from "./attention.ts";
export {
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  lpPool1d,
  lpPool2d,
  lpPool3d,
} from "./avg-pool.ts";
export { flatten, moveAxis, unflatten } from "./axes.ts";
export { batchIndices } from "./batch-indices.ts";
export { type BatchNormOptions, batchNorm } from "./batch-norm.ts";
export {
  bitwiseAnd,
  bitwiseLeftShift,
  bitwiseNot,
  bitwiseOr,
  bitwiseRightShift,
  bitwiseXor,
} from "./bits.ts";
export { broadcastTensors, broadcastTo, sumTo } from "./broadcast.ts";
export { type CategoricalOptions, categoricalAt, randomCategorical } from "./categorical.ts";
export type { Layout1d, Layout2d, Layout3d } from "./channels.ts";
export {
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  notEqual,
} from "./compare.ts";
export { type ConvOptions, type ConvSettings, conv1d, conv2d, conv3d } from "./conv.ts";
export {
  type ConvTransposeOptions,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from "./conv-transpose.ts";
export { all, any, countNonZero } from "./count.ts";
export {
  type BincountOptions,
  bincount,
  type Histogram,
  type HistogramOptions,
  histogram,
} from "./counts.ts";
export {
  arange,
  type CreationOptions,
  eye,
  full,
  oneHot,
  ones,
  type TensorOptions,
  tensor,
  zeros,
} from "./creation.ts";
export {
  type CumulativeOptions,
  cumLogSumExp,
  cumMax,
  cumMin,
  cumProd,
  cumSum,
} from "./cumulative.ts";
export { type DiagonalOptions, diag, diagonal, tril, triu } from "./diagonals.ts";
export { type DiffOptions, diff } from "./diff.ts";
export { pairwiseSquaredDistances } from "./distances.ts";
export {
  type BernoulliOptions,
  bernoulliAt,
  type ExponentialOptions,
  exponentialAt,
  type GammaOptions,
  gammaAt,
  type HostDraw,
  type IntegersOptions,
  integersAt,
  type Parametric,
  randomBernoulli,
  randomExponential,
  randomGamma,
  randomIntegers,
  randomTruncatedNormal,
  type StepDraw,
  type TruncatedNormalOptions,
  truncatedNormalAt,
} from "./distributions.ts";
export { type DropoutMaskOptions, dropout } from "./dropout.ts";
export { einsum } from "./einsum.ts";
export type { BinaryFunction, OtherOperand, UnaryFunction } from "./elementwise.ts";
export { embedding, type LookupOptions } from "./embedding.ts";
export { erf, erfc, erfInv, normalCdf } from "./error-function.ts";
export { exp2, log2, log10 } from "./exponents.ts";
export { type AxesOptions, flip, type RotateOptions, roll, rot90 } from "./flip.ts";
export { copysign, nextafter, signBit } from "./float-bits.ts";
export { type FoldOptions, fold, unfold } from "./fold.ts";
export { digamma, lgamma, polygamma } from "./gamma.ts";
export { gather } from "./gather.ts";
export { gatherND, type ScatterNDOptions, scatterND } from "./gather-nd.ts";
export { glu, swiglu } from "./glu.ts";
export {
  type AffineGridOptions,
  affineGrid,
  type GridSampleOptions,
  gridSample,
} from "./grid-sample.ts";
export {
  type LinspaceOptions,
  type LogspaceOptions,
  linspace,
  logspace,
  type MeshgridOptions,
  meshgrid,
} from "./grids.ts";
export { type GroupNormOptions, groupNorm, instanceNorm } from "./group-norm.ts";
export { castAny as cast } from "./half-cast.ts";
export { acosh, asinh, atanh, cosh, sinh } from "./hyperbolic.ts";
export { indexAdd, segmentSum } from "./index-add.ts";
export { type L2NormalizeOptions, l2Normalize } from "./l2-normalize.ts";
export {
  type LayerNormOptions,
  layerNorm,
  type RMSNormOptions,
  rmsNorm,
} from "./layer-norm.ts";
export { lerp } from "./lerp.ts";
export { fullLike, onesLike, zerosLike } from "./like.ts";
export { type LocalResponseNormOptions, localResponseNorm } from "./local-response-norm.ts";
export { logAddExp } from "./log-add-exp.ts";
export { matmul } from "./matmul.ts";
export {
  type MaxPooled,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  maxPool3d,
} from "./max-pool.ts";
export { type MaxUnpoolOptions, maxUnpool1d, maxUnpool2d, maxUnpool3d } from "./max-unpool.ts";
export { type Moments, type MomentsOptions, moments, std, variance } from "./moments.ts";
export { type NanToNumOptions, nanMean, nanSum, nanToNum } from "./nan.ts";
export { type NormOptions, norm } from "./norm.ts";
export { type Padding, type PadOptions, pad } from "./pad.ts";
export { type PermutationAtOptions, permutationAt } from "./permutation-at.ts";
export {
  hardShrink,
  hardSigmoid,
  hardSwish,
  hardTanh,
  prelu,
  relu6,
  softShrink,
  threshold,
} from "./piecewise.ts";
export { type ImageOptions, pixelShuffle, pixelUnshuffle } from "./pixel-shuffle.ts";
export type { PoolOptions } from "./pool.ts";
export { pow } from "./pow.ts";
export { prod } from "./prod.ts";
export { dot, inner, kron, outer, tensordot, vdot, vecdot } from "./products.ts";
export { median, type QuantileMethod, type QuantileOptions, quantile } from "./quantile.ts";
export {
  type NormalOptions,
  type RandomOptions,
  randomNormal,
  randomPermutation,
  randomUniform,
  setSeed,
  type UniformOptions,
} from "./random.ts";
export {
  type NormalAtOptions,
  normalAt,
  type RandomAtOptions,
  type UniformAtOptions,
  uniformAt,
} from "./random-at.ts";
export {
  type ArgFunction,
  type ArgOptions,
  argmax,
  argmin,
  max,
  mean,
  min,
  type ReduceFunction,
  sum,
} from "./reduce.ts";
export { floorDivide, fmod, remainder } from "./remainder.ts";
export { repeatInterleave, tile } from "./repeat.ts";
export { expandDims, permute, reshape, squeeze, transpose } from "./reshape.ts";
export { type ResizeOptions, resize } from "./resize.ts";
export { cbrt, hypot, rsqrt } from "./root.ts";
export { type RotaryOptions, rotaryEmbedding } from "./rotary-embedding.ts";
export { ceil, floor, fract, round, trunc } from "./rounding.ts";
export type { AxisOptions } from "./rows.ts";
export { type RReluOptions, rrelu } from "./rrelu.ts";
export { type SearchOptions, searchSorted } from "./search-sorted.ts";
export { concat, type Range, slice, stack } from "./slice.ts";
export type { EdgePadding, PerAxis } from "./sliding.ts";
export { celu, mish, selu, softsign, tanhShrink } from "./smooth.ts";
export { type AxisFunction, logSoftmax, logSumExp, softmax } from "./softmax.ts";
export {
  argsort,
  type KthOptions,
  kthValue,
  type Sorted,
  type SortOptions,
  sort,
  type TopKOptions,
  topK,
} from "./sort.ts";
export { chunk, split, unbind } from "./split.ts";
export { take } from "./take.ts";
export { acos, asin, atan, atan2, tan } from "./trigonometric.ts";
export {
  abs,
  cos,
  exp,
  expm1,
  isFinite,
  isInf,
  isNaN,
  log,
  log1p,
  logSigmoid,
  relu,
  sigmoid,
  sign,
  sin,
  softplus,
  sqrt,
  tanh,
} from "./unary.ts";
export { maskedFill, where } from "./where.ts";
export { type WindowOptions, windows } from "./windows.ts";
export { writeAt } from "./write-at.ts";
