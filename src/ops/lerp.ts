import { checkSurplus } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { less } from "./compare.ts";
import { checkDomain } from "./domain.ts";
import { broadcastInputs, type OtherOperand } from "./elementwise.ts";
import { where } from "./where.ts";

/**
 * Computes a + w · (b − a), the number that divides the way from a to b as the weight w does:
 * exactly a for w = 0 and b for w = 1. All three broadcast; w may lie outside [0, 1].
 * @throws DTypeError unless all are floats of one dtype, ShapeError where shapes do not broadcast.
 * @example await lerp(tensor([0, 10]), tensor([4, 20]), 0.25).toArray(); // [1, 12.5]
 */
export function lerp<A extends Tensor | number>(
  a: A,
  b: OtherOperand<A>,
  weight: Tensor | number,
  ...surplus: never[]
): Tensor {
  checkSurplus("lerp(a, b, weight)", surplus);
  const [x, y] = broadcastInputs("lerp", a, b);
  checkDomain("lerp", x.dtype, "float");
  const [way, w] = broadcastInputs("lerp", sub(y, x), weight);
  // From the nearer end, so that neither is missed by rounding.
  const isNear = less(w, 0.5);
  return add(where(isNear, x, y), mul(where(isNear, w, sub(w, 1)), way));
}
