import { checkOptions, checkPositive, type Known } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import { greaterEqual, lessEqual, logicalAnd, logicalNot } from "../ops/compare.ts";
import { l2Normalize } from "../ops/l2-normalize.ts";
import { matmul } from "../ops/matmul.ts";
import { max, min } from "../ops/reduce.ts";
import { transpose } from "../ops/reshape.ts";
import { logSumExp } from "../ops/softmax.ts";
import { labelsOf } from "../ops/targets.ts";
import { softplus } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { checkEmbeddings, checkRange } from "./check.ts";
import { ENDLESS, labelPairs } from "./label-pairs.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";

/** Options of `multiSimilarity`. */
export interface MultiSimilarityOptions extends LossOptions {
  /** α, how sharply pairs of a class are weighed, above 0; 2 when left out. */
  alpha?: number;
  /** β, how sharply others are, above 0; 50 when left out. */
  beta?: number;
  /** λ, the cosine between both, from −1 to 1; 0.5 when left out. */
  base?: number;
  /** ε, how near to the hardest of the other kind a pair must be to count, from 0; 0.1 when left out. */
  epsilon?: number;
}

const OPTIONS: Known<MultiSimilarityOptions> = {
  ...LOSS_OPTIONS,
  alpha: true,
  beta: true,
  base: true,
  epsilon: true,
};

/**
 * Computes log(1 + Σ e^(−α (S − λ))) / α over an example's pairs of its class and
 * log(1 + Σ e^(β (S − λ))) / β over its other pairs, with cosines S, of those pairs alone that are less
 * than ε from the hardest of the other kind (Wang et al. 2019, "Multi-similarity loss with general pair
 * weighting for deep metric learning", eq. 10, 13 and 15).
 * @param embeddings `[n, features]`, f32 or f64; they are scaled to unit length.
 * @param labels integers `[n]`, equal for examples of one class.
 * @throws ShapeError or DTypeError for others, GradusError for an option out of its range.
 * @example multiSimilarity(net.call(images), labels);
 */
export function multiSimilarity(
  embeddings: Tensor,
  labels: Tensor,
  options: MultiSimilarityOptions = {},
  ...surplus: never[]
): Tensor {
  const op = "multiSimilarity";
  checkOptions(op, options, OPTIONS, surplus);
  const { alpha = 2, beta = 50, base = 0.5, epsilon = 0.1 } = options;
  checkEmbeddings(op, [embeddings]);
  const { positive, negative } = labelPairs(labelsOf(op, labels, embeddings.shape[0]));
  checkPositive(op, { alpha, beta });
  checkRange(op, "base", base, -1, 1);
  checkRange(op, "epsilon", epsilon, 0);
  const x = l2Normalize(embeddings);
  const s = matmul(x, transpose(x));
  const nearest = max(where(negative, s, -ENDLESS), { axis: 1, keepDims: true });
  const farthest = min(where(positive, s, ENDLESS), { axis: 1, keepDims: true });
  // Not the opposite comparison: a NaN counts.
  const near = logicalAnd(positive, logicalNot(greaterEqual(s, add(nearest, epsilon))));
  const far = logicalAnd(negative, logicalNot(lessEqual(s, sub(farthest, epsilon))));
  const penalty = (counts: Tensor, scale: number) => {
    const terms = where(counts, mul(sub(s, base), scale), -ENDLESS);
    return div(softplus(logSumExp(terms, { axis: 1 })), Math.abs(scale));
  };
  return reduceLosses(op, add(penalty(near, -alpha), penalty(far, beta)), options);
}
