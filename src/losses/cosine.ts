import { checkOptions, type Known } from "../core/check.ts";
import { normalizeAxis } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { mul, sub } from "../ops/arithmetic.ts";
import { l2Normalize } from "../ops/l2-normalize.ts";
import { sum } from "../ops/reduce.ts";
import { matched } from "../ops/targets.ts";
import { checkRange } from "./check.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";

/** Options of `cosineSimilarity`. */
export interface CosineOptions {
  /** The axis along which vectors lie; the last when left out. */
  axis?: number;
  /** The least length that a vector counts with, from 1e-36; 1e-8 when left out. */
  epsilon?: number;
}

const COSINE_OPTIONS: Known<CosineOptions> = { axis: "number", epsilon: true };

/**
 * Computes the cosine of the angle between vectors, a·b / (max(‖a‖, ε) max(‖b‖, ε)), along an axis:
 * in [−1, 1], for lengths up to 1e37 in f32 too, and 0 with the gradient 0 for a vector of zeros.
 * @returns a tensor without that axis.
 * @throws ShapeError when the shapes differ or there is no such axis.
 * @example cosineSimilarity(queries, keys); // [n, d], [n, d] → [n]
 */
export function cosineSimilarity(
  a: Tensor,
  b: Tensor,
  options: CosineOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<CosineOptions>("cosineSimilarity", options, COSINE_OPTIONS, surplus);
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
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions & CosineOptions>(
    "cosineDistance",
    options,
    { ...LOSS_OPTIONS, ...COSINE_OPTIONS },
    surplus,
  );
  const losses = sub(1, similarity("cosineDistance", y, target, options));
  return reduceLosses("cosineDistance", losses, options);
}

function similarity(op: string, a: Tensor, target: Tensor, options: CosineOptions): Tensor {
  const { epsilon = 1e-8 } = options;
  const b = matched(op, a, target);
  const axis = normalizeAxis(op, options.axis ?? -1, a.rank);
  checkRange(op, "epsilon", epsilon, 1e-36);
  const unit = (x: Tensor) => l2Normalize(x, { axis, epsilon });
  return sum(mul(unit(a), unit(b)), { axis });
}
