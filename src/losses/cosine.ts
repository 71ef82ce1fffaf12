import { checkPositive } from "../core/check.ts";
import { normalizeAxis } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { div, maximum, mul, square, sub } from "../ops/arithmetic.ts";
import { sum } from "../ops/broadcast.ts";
import { matched } from "../ops/targets.ts";
import { sqrt } from "../ops/unary.ts";
import { type LossOptions, reduceLosses } from "./reduction.ts";

/** Options of `cosineSimilarity`. */
export interface CosineOptions {
  /** The axis along which vectors lie; the last when left out. */
  axis?: number;
  /** The least length of a vector; 1e-8 when left out. */
  epsilon?: number;
}

/**
 * Computes the cosine of the angle between vectors, a·b / (max(‖a‖, ε) max(‖b‖, ε)), along an axis:
 * in [−1, 1], and 0 for a vector of zeros.
 * @returns a tensor without that axis.
 * @throws ShapeError when the shapes differ or there is no such axis.
 * @example cosineSimilarity(queries, keys); // [n, d], [n, d] → [n]
 */
export function cosineSimilarity(a: Tensor, b: Tensor, options: CosineOptions = {}): Tensor {
  return similarity("cosineSimilarity", a, b, options);
}

/**
 * Computes 1 − cos of the angle between outputs and targets along an axis: in [0, 2].
 * @throws ShapeError when the shapes differ or there is no such axis.
 * @example cosineDistance(embeddings, target);
 */
export function cosineDistance(
  y: Tensor,
  target: Tensor,
  options: LossOptions & CosineOptions = {},
): Tensor {
  const losses = sub(1, similarity("cosineDistance", y, target, options));
  return reduceLosses("cosineDistance", losses, options);
}

function similarity(op: string, a: Tensor, target: Tensor, options: CosineOptions): Tensor {
  const { epsilon = 1e-8 } = options;
  const b = matched(op, a, target);
  const axis = normalizeAxis(op, options.axis ?? -1, a.rank);
  checkPositive(op, { epsilon });
  const length = (x: Tensor) => sqrt(maximum(sum(square(x), { axis }), epsilon * epsilon));
  return div(sum(mul(a, b), { axis }), mul(length(a), length(b)));
}
