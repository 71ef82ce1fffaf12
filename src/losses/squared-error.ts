import { ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { mul, square, sub } from "../ops/arithmetic.ts";
import { sum } from "../ops/broadcast.ts";
import { type LossOptions, reduceLosses } from "./reduction.ts";

/**
 * Computes the squared error (y − t)² of each element; the mean runs over all elements
 * (Bishop 2006, "Pattern Recognition and Machine Learning", eq. 1.2, without its ½).
 * @throws ShapeError when the shapes differ.
 */
export function meanSquaredError(y: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkSameShape("meanSquaredError", y, target);
  return reduceLosses("meanSquaredError", square(sub(y, target)), options);
}

/**
 * Computes the quadratic cost ½‖y − t‖² of each example along the first axis; with the mean,
 * C = 1/(2n) Σ‖y − t‖² (Nielsen 2015, "Neural Networks and Deep Learning", eq. 6).
 * @throws ShapeError when the shapes differ or there is no axis.
 */
export function quadratic(y: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkSameShape("quadratic", y, target);
  if (y.rank === 0) throw new ShapeError("quadratic: a scalar; expected examples along axis 0");
  const squares = mul(square(sub(y, target)), 0.5);
  const axis = y.shape.map((_, i) => i).slice(1);
  const losses = axis.length > 0 ? sum(squares, { axis }) : squares;
  return reduceLosses("quadratic", losses, options);
}

// Broadcasting here would hide the mistake of [n] against [n, 1].
function checkSameShape(op: string, y: Tensor, target: Tensor): void {
  if (sameShape(y.shape, target.shape)) return;
  throw new ShapeError(
    `${op}: outputs ${formatShape(y.shape)} with targets ${formatShape(target.shape)}; ` +
      "expected equal shapes",
  );
}
