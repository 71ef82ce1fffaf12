export { customGrad, stopGradient } from "../graph/custom-grad.ts";
export { elu, gelu, leakyRelu, silu } from "./activations.ts";
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
export { batchIndices } from "./batch-indices.ts";
export { broadcastTo, sumTo } from "./broadcast.ts";
export { cast } from "./cast.ts";
export {
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  notEqual,
} from "./compare.ts";
export { arange, eye, full, oneHot, ones, tensor, zeros } from "./creation.ts";
export { pairwiseSquaredDistances } from "./distances.ts";
export { gather } from "./gather.ts";
export { type L2NormalizeOptions, l2Normalize } from "./l2-normalize.ts";
export { matmul } from "./matmul.ts";
export { type Moments, type MomentsOptions, moments, variance } from "./moments.ts";
export { pow } from "./pow.ts";
export { randomNormal, randomPermutation, randomUniform, setSeed } from "./random.ts";
export { normalAt, type RandomAtOptions, uniformAt } from "./random-at.ts";
export { argmax, argmin, max, mean, min, sum } from "./reduce.ts";
export { expandDims, permute, reshape, squeeze, transpose } from "./reshape.ts";
export { concat, pad, slice, stack } from "./slice.ts";
export { logSoftmax, logSumExp, softmax } from "./softmax.ts";
export {
  argsort,
  type Sorted,
  type SortOptions,
  sort,
  type TopKOptions,
  topK,
} from "./sort.ts";
export {
  abs,
  cos,
  exp,
  expm1,
  floor,
  isFinite,
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
export { where } from "./where.ts";
export { type WindowOptions, windows } from "./windows.ts";
export { writeAt } from "./write-at.ts";
