import { isFloat } from "../core/dtype.ts";
import type { Tensor } from "../graph/tensor.ts";
import { logicalAnd, logicalNot } from "../ops/compare.ts";
import { max } from "../ops/reduce.ts";
import { isNaN } from "../ops/unary.ts";

/** Says for each row whether it holds NaN. */
export function holdsNaN(rows: Tensor): Tensor {
  return isNaN(max(rows, { axis: 1 }));
}

/** Takes back what was said of rows that hold NaN: no decision about them is right. */
export function unlessNaN(right: Tensor, rows: Tensor): Tensor {
  return isFloat(rows.dtype) ? logicalAnd(right, logicalNot(holdsNaN(rows))) : right;
}
