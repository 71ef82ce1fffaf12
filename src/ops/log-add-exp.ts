import { checkSurplus } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, maximum, mul, neg, sub } from "./arithmetic.ts";
import { equal } from "./compare.ts";
import { checkDomain } from "./domain.ts";
import { broadcastInputs } from "./elementwise.ts";
import { abs, softplus } from "./unary.ts";
import { where } from "./where.ts";

/**
 * Computes log(eᵃ + eᵇ), which neither overflows nor vanishes before the larger of both does.
 * Formula: max(a, b) + log(1 + e^(−|a − b|)); the gradient is the softmax of a and b, ½ for each where
 * they are equal, infinite ones too.
 * @throws DTypeError unless both are floats of one dtype, ShapeError where shapes do not broadcast.
 * @example await logAddExp(tensor([0, 1000]), 0).toArray(); // about [0.693, 1000]
 */
export function logAddExp(a: Tensor | number, b: Tensor | number, ...surplus: never[]): Tensor {
  checkSurplus("logAddExp(a, b)", surplus);
  const [x, y] = broadcastInputs("logAddExp", a, b);
  checkDomain("logAddExp", x.dtype, "float");
  const isSame = equal(x, y);
  const distance = where(isSame, 0, sub(x, y)); // ∞ − ∞ is NaN
  const larger = where(isSame, add(mul(x, 0.5), mul(y, 0.5)), maximum(x, y));
  return add(larger, where(isSame, Math.LN2, softplus(neg(abs(distance)))));
}
