import { checkOptions } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { mul, square, sub } from "../ops/arithmetic.ts";
import { greater } from "../ops/compare.ts";
import { l2Norm } from "../ops/l2-normalize.ts";
import { sum } from "../ops/reduce.ts";
import { matched } from "../ops/targets.ts";
import { log1p } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { exampleAxes } from "./check.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";

/**
 * Computes the squared error (y − t)² of each element; the mean runs over all elements
 * (Bishop 2006, "Pattern Recognition and Machine Learning", eq. 1.2, without its ½).
 * @param y outputs of any shape, f32 or f64.
 * @param target of the same shape, in any dtype.
 * @throws ShapeError when the shapes differ.
 * @example meanSquaredError(model.call(x), target);
 */
export function meanSquaredError(
  y: Tensor,
  target: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("meanSquaredError", options, LOSS_OPTIONS, surplus);
  const t = matched("meanSquaredError", y, target);
  return reduceLosses("meanSquaredError", square(sub(y, t)), options);
}

/**
 * Computes the quadratic cost ½‖y − t‖² of each example along the first axis; with the mean,
 * C = 1/(2n) Σ‖y − t‖² (Nielsen 2015, "Neural Networks and Deep Learning", eq. 6).
 * @throws ShapeError when the shapes differ or there is no axis.
 * @example quadratic(model.call(x), target);
 */
export function quadratic(
  y: Tensor,
  target: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("quadratic", options, LOSS_OPTIONS, surplus);
  return halfSquares("quadratic", y, target, options);
}

/**
 * Computes the sum of squares E = ½ Σ (y − t)² over all elements (Bishop 2006, eq. 1.2; Saito 2016,
 * "Deep Learning from Scratch", eq. 4.1): `quadratic` with the sum, unless another reduction of
 * the examples is given.
 * @throws ShapeError when the shapes differ or there is no axis.
 * @example sumOfSquares(y, target);
 */
export function sumOfSquares(
  y: Tensor,
  target: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("sumOfSquares", options, LOSS_OPTIONS, surplus);
  const { reduction = "sum" } = options;
  return halfSquares("sumOfSquares", y, target, { ...options, reduction });
}

function halfSquares(op: string, y: Tensor, target: Tensor, options: LossOptions): Tensor {
  const squares = mul(square(sub(y, matched(op, y, target))), 0.5);
  const axis = exampleAxes(op, squares);
  return reduceLosses(op, axis.length > 0 ? sum(squares, { axis }) : squares, options);
}

/**
 * Computes the Euclidean distance ‖y − t‖ of each example along the first axis, without square or
 * ½ (those are `quadratic`), for distances of 1e-36 to 1e37 in f32 too; its gradient is 0 where
 * y = t.
 * @throws ShapeError when the shapes differ or there is no axis.
 * @example l2Loss(points, target);
 */
export function l2Loss(
  y: Tensor,
  target: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("l2Loss", options, LOSS_OPTIONS, surplus);
  const apart = sub(y, matched("l2Loss", y, target));
  const lengths = l2Norm(apart, { axis: exampleAxes("l2Loss", apart) });
  return reduceLosses("l2Loss", lengths, options);
}

/**
 * Computes (ln(1 + y) − ln(1 + t))² of each element, for values from 0 that grow by factors.
 * Negative ones count as 0, and such y have no gradient.
 * @throws ShapeError when the shapes differ.
 * @example meanSquaredLogarithmicError(y, target);
 */
export function meanSquaredLogarithmicError(
  y: Tensor,
  target: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("meanSquaredLogarithmicError", options, LOSS_OPTIONS, surplus);
  const op = "meanSquaredLogarithmicError";
  const [a, b] = [y, matched(op, y, target)].map((x) => log1p(where(greater(0, x), 0, x)));
  return reduceLosses(op, square(sub(a, b)), options);
}
