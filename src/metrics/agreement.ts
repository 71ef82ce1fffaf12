import { checkFinite, checkOptions, checkSurplus } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { div, square, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { equal, greater, lessEqual, logicalAnd, logicalOr } from "../ops/compare.ts";
import { mean, sum } from "../ops/reduce.ts";
import { matched } from "../ops/targets.ts";
import { where } from "../ops/where.ts";

/** Options of `binaryAccuracy`. */
export interface BinaryAccuracyOptions {
  /** What outputs must exceed to count as 1: ½, for probabilities, when left out; 0 for logits. */
  threshold?: number;
}

/**
 * Computes the share of elements that lie on the target's side of a threshold, a scalar in [0, 1].
 * NaN lies on no side.
 * @param y probabilities or logits of any shape, f32 or f64.
 * @param target of the same shape, in any dtype; what exceeds ½ counts as 1.
 * @throws ShapeError when the shapes differ, GradusError for a threshold that is no finite number.
 * @example await binaryAccuracy(logits, target, { threshold: 0 }).item();
 */
export function binaryAccuracy(
  y: Tensor,
  target: Tensor,
  options: BinaryAccuracyOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<BinaryAccuracyOptions>("binaryAccuracy", options, { threshold: "number" }, surplus);
  const { threshold = 0.5 } = options;
  checkFinite("binaryAccuracy", { threshold });
  const t = matched("binaryAccuracy", y, target);
  const bothAbove = logicalAnd(greater(y, threshold), greater(t, 0.5));
  const neither = logicalAnd(lessEqual(y, threshold), lessEqual(t, 0.5));
  return mean(cast(logicalOr(bothAbove, neither), "f32"));
}

/**
 * Computes the coefficient of determination R² = 1 − Σ(y − t)² / Σ(t − t̄)² over all elements:
 * 1 at best, 0 for the targets' mean, and below for worse. Where all targets are equal it is 1 for
 * outputs that hit them and else 0. Of NaN it is NaN.
 * @param y outputs of any shape, f32 or f64.
 * @param target of the same shape, in any dtype.
 * @throws ShapeError when the shapes differ.
 * @example await r2Score(model.call(x), target).item();
 */
export function r2Score(y: Tensor, target: Tensor, ...surplus: never[]): Tensor {
  checkSurplus("r2Score(y, target)", surplus);
  const t = matched("r2Score", y, target);
  const missed = sum(square(sub(y, t)));
  const spread = sum(square(sub(t, mean(t))));
  const flat = equal(spread, 0);
  const share = where(flat, where(greater(missed, 0), 1, missed), missed);
  return sub(1, div(share, where(flat, 1, spread)));
}
