import { checkOptions, describeValue, type Known } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { GradusError } from "../core/errors.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, div, mul, square, sub } from "../ops/arithmetic.ts";
import { greater } from "../ops/compare.ts";
import { max, sum } from "../ops/reduce.ts";
import { matched } from "../ops/targets.ts";
import { relu } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { checkRange, spreadClasses } from "./check.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";

/**
 * Computes max(0, 1 − t y) of each element, for targets −1 and 1 (Bishop 2006, "Pattern Recognition
 * and Machine Learning", eq. 7.45). A target 0 gives 1 and no gradient: turn 0 and 1 into 2t − 1.
 * At t y = 1 the gradient is 0.
 * @throws ShapeError when the shapes differ.
 * @example hinge(scores, target);
 */
export function hinge(
  y: Tensor,
  target: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("hinge", options, LOSS_OPTIONS, surplus);
  const t = matched("hinge", y, target);
  return reduceLosses("hinge", relu(sub(1, mul(t, y))), options);
}

/**
 * Computes max(0, 1 − t y)² of each element, for targets −1 and 1; else as `hinge`.
 * @throws ShapeError when the shapes differ.
 * @example squaredHinge(scores, target);
 */
export function squaredHinge(
  y: Tensor,
  target: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("squaredHinge", options, LOSS_OPTIONS, surplus);
  const t = matched("squaredHinge", y, target);
  return reduceLosses("squaredHinge", square(relu(sub(1, mul(t, y)))), options);
}

/**
 * Computes max(0, 1 + maxᵢ (1 − tᵢ) yᵢ − Σᵢ tᵢ yᵢ) of each example, as Keras defines it: the right
 * class enters the maximum as 0. `multiclassHinge` leaves it out.
 * @param y scores `[n, c]`, f32 or f64.
 * @param targets integer labels `[n]`, or one-hot floats `[n, c]`. A label outside `[0, c)` is an error
 * on the CPU device, and counts as no class on WebGPU.
 * @throws ShapeError or DTypeError for other shapes and dtypes.
 * @example categoricalHinge(scores, labels);
 */
export function categoricalHinge(
  y: Tensor,
  targets: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("categoricalHinge", options, LOSS_OPTIONS, surplus);
  const t = spreadClasses("categoricalHinge", y, targets);
  const wrong = max(mul(sub(1, t), y), { axis: 1 });
  const right = sum(mul(t, y), { axis: 1 });
  return reduceLosses("categoricalHinge", relu(add(sub(wrong, right), 1)), options);
}

/**
 * Computes max(0, 1 + max over i ≠ t of yᵢ − y_t) of each example (Crammer and Singer 2001, "On the
 * Algorithmic Implementation of Multiclass Kernel-based Vector Machines"). Equal largest scores
 * share the gradient.
 * @param y scores `[n, c]`, f32 or f64.
 * @param labels integers `[n]`; one outside `[0, c)` is an error on the CPU device, and counts as a
 * class of score 0 on WebGPU.
 * @throws ShapeError or DTypeError for other shapes and dtypes.
 * @example multiclassHinge(scores, labels);
 */
export function multiclassHinge(
  y: Tensor,
  labels: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("multiclassHinge", options, LOSS_OPTIONS, surplus);
  const { isRight, right } = rightScores("multiclassHinge", y, labels);
  const wrong = max(where(isRight, Number.NEGATIVE_INFINITY, y), { axis: 1 });
  const losses = relu(add(sub(wrong, sum(right, { axis: 1 })), 1));
  return reduceLosses("multiclassHinge", losses, options);
}

/** Options of `multiMargin`. */
export interface MultiMarginOptions extends LossOptions {
  /** How far the right score should lie above the others, from 0; 1 when left out. */
  margin?: number;
  /** The power of what is missing, 1 or 2; 1 when left out. */
  p?: 1 | 2;
}

const MULTI_MARGIN_OPTIONS: Known<MultiMarginOptions> = {
  ...LOSS_OPTIONS,
  margin: "number",
  p: true,
};

/**
 * Computes Σ over i ≠ t of max(0, m − y_t + yᵢ)ᵖ / c of each example (Weston and Watkins 1999,
 * "Support Vector Machines for Multi-Class Pattern Recognition", for p = 1, over c).
 * @param y scores `[n, c]`, f32 or f64.
 * @param labels integers `[n]`; one outside `[0, c)` is an error on the CPU device, and counts as a
 * class of score 0 on WebGPU.
 * @throws ShapeError, DTypeError or GradusError for other shapes, dtypes and margins.
 * @example multiMargin(scores, labels, { margin: 0.5 });
 */
export function multiMargin(
  y: Tensor,
  labels: Tensor,
  options: MultiMarginOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<MultiMarginOptions>("multiMargin", options, MULTI_MARGIN_OPTIONS, surplus);
  const { margin = 1, p = 1 } = options;
  checkRange("multiMargin", "margin", margin, 0);
  if (p !== 1 && p !== 2)
    throw new GradusError(`multiMargin: p ${describeValue(p)}; expected 1 or 2`);
  const { isRight, right } = rightScores("multiMargin", y, labels);
  const missing = relu(add(sub(y, sum(right, { axis: 1, keepDims: true })), margin));
  const terms = where(isRight, 0, p === 2 ? square(missing) : missing);
  return reduceLosses("multiMargin", div(sum(terms, { axis: 1 }), y.shape[1]), options);
}

/** Where labels point, `[n, c]`, and the scores there, 0 elsewhere. */
function rightScores(op: string, y: Tensor, labels: Tensor) {
  checkTensors(op, [y, labels]);
  expectDType(`${op}: labels have dtype`, labels.dtype, "integer");
  const isRight = greater(spreadClasses(op, y, labels), 0);
  return { isRight, right: where(isRight, y, 0) };
}
