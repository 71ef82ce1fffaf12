import type { Tensor } from "../graph/tensor.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { dropWeights } from "./attention-drop.ts";
import { stretch } from "./broadcast.ts";
import { equal, lessEqual } from "./compare.ts";
import { iota } from "./creation.ts";
import { matmul } from "./matmul.ts";
import { remainder } from "./remainder.ts";
import { inShape, withAxes } from "./reshape.ts";
import { logSumExp } from "./softmax.ts";
import { exp } from "./unary.ts";
import { where } from "./where.ts";

/** What attention is told beside tensors. */
export interface AttentionAttributes extends Record<string, unknown> {
  /** Rows of q have places from 0 to this, again and again. */
  readonly length: number;
  /** Whether a row attends to rows of k up to its place only. */
  readonly causal: boolean;
  /** Whether there is a mask; else what stands for it counts for nothing. */
  readonly masked: boolean;
  readonly scale: number;
  readonly rate: number;
}

const NONE = Number.NEGATIVE_INFINITY;

/** Matrices with rows and columns swapped. */
function turned(x: Tensor): Tensor {
  return withAxes(x, [0, 2, 1]);
}

/** `scale · q · kᵀ` and what the mask adds, −∞ where nothing is attended to: `[b, m, s]`. */
function scoresOf([q, k, , mask]: readonly Tensor[], attributes: AttentionAttributes): Tensor {
  const { length, causal, masked, scale } = attributes;
  let scores = mul(matmul(q, turned(k)), scale);
  if (masked) scores = where(equal(mask, NONE), NONE, add(scores, mask));
  if (!causal) return scores;
  const [, m, s] = scores.shape;
  const place = inShape(remainder(iota(m, "i32", q.device), length), [m, 1]);
  return where(lessEqual(iota(s, "i32", q.device), place), scores, NONE);
}

/** e^(score − log Σ e^score): 0 where a row attends to nothing. */
function weightsOf(scores: Tensor, lse: Tensor): Tensor {
  const [b, m] = lse.shape;
  const total = where(equal(lse, NONE), 0, lse);
  return exp(sub(scores, stretch(inShape(total, [b, m, 1]), scores.shape)));
}

/** Attention by products: y `[b, m, n]`, and the logarithm of each row's sum `[b, m]`. */
export function attentionByProducts(
  inputs: readonly Tensor[],
  attributes: AttentionAttributes,
): Tensor[] {
  const [, , v, , words] = inputs;
  const scores = scoresOf(inputs, attributes);
  const lse = logSumExp(scores, { axis: 2 });
  const weights = weightsOf(scores, lse);
  return [matmul(dropWeights(weights, words, attributes.rate), v), lse];
}

/** The weights of each row of q for those of k, and their cotangents: `[b, m, s]`. */
function weightSlopes(inputs: readonly Tensor[], attributes: AttentionAttributes) {
  const [, , v, , words, g, lse, delta] = inputs;
  const [b, m] = lse.shape;
  const scores = scoresOf(inputs, attributes);
  const weights = weightsOf(scores, lse);
  const own = dropWeights(matmul(g, turned(v)), words, attributes.rate);
  const slopes = mul(weights, sub(own, stretch(inShape(delta, [b, m, 1]), own.shape)));
  // What has no weight has no gradient, whatever it is multiplied with.
  return { weights, slopes: where(equal(weights, 0), 0, slopes) };
}

/** The cotangent of q by products. */
export function queryGradient(inputs: readonly Tensor[], attributes: AttentionAttributes): Tensor {
  const { slopes } = weightSlopes(inputs, attributes);
  return mul(matmul(slopes, inputs[1]), attributes.scale);
}

/** The cotangents of k and v by products. */
export function keyGradients(
  inputs: readonly Tensor[],
  attributes: AttentionAttributes,
): [Tensor, Tensor] {
  const [q, , , , words, g] = inputs;
  const { weights, slopes } = weightSlopes(inputs, attributes);
  const kept = dropWeights(weights, words, attributes.rate);
  return [mul(matmul(turned(slopes), q), attributes.scale), matmul(turned(kept), g)];
}

/** The cotangent of the mask. */
export function maskGradient(inputs: readonly Tensor[], attributes: AttentionAttributes): Tensor {
  return weightSlopes(inputs, attributes).slopes;
}
