import { checkNumbers, checkOptions, type Known } from "../core/check.ts";
import { allocate } from "../core/dtype.ts";
import { checkTensors, type ReduceOptions, type Tensor } from "../graph/tensor.ts";
import { div } from "./arithmetic.ts";
import { sumRows } from "./broadcast.ts";
import { cast } from "./cast.ts";
import { greater, logicalNot } from "./compare.ts";
import { checkDomain } from "./domain.ts";
import { nextOf } from "./float-bits.ts";
import { reducedRows } from "./rows.ts";
import { numberLike } from "./scalar.ts";
import { isFinite, isNaN } from "./unary.ts";
import { where } from "./where.ts";

/** What takes the place of numbers that are not finite. */
export interface NanToNumOptions {
  /** In place of NaN; 0 when left out. */
  nan?: number;
  /** In place of ∞; the largest number of the dtype when left out. */
  posInf?: number;
  /** In place of −∞; the smallest number of the dtype when left out. */
  negInf?: number;
}

const NAN_TO_NUM: Known<NanToNumOptions> = { nan: "number", posInf: "number", negInf: "number" };

/**
 * Puts numbers in the place of NaN, ∞ and −∞; the gradient passes where x is finite.
 * @throws GradusError for options that are no numbers, DTypeError unless x holds floats.
 * @example await nanToNum(tensor([NaN, Infinity, 2]), { posInf: 9 }).toArray(); // [0, 9, 2]
 */
export function nanToNum(x: Tensor, options: NanToNumOptions = {}, ...surplus: never[]): Tensor {
  checkOptions("nanToNum", options, NAN_TO_NUM, surplus);
  checkTensors("nanToNum", [x]);
  checkDomain("nanToNum", x.dtype, "float");
  const largest = nextOf(Number.POSITIVE_INFINITY, 0, allocate(x.dtype, 1));
  const { nan = 0, posInf = largest, negInf = -largest } = options;
  checkNumbers("nanToNum", { nan, posInf, negInf });
  const infinite = where(greater(x, 0), posInf, numberLike("nanToNum", x, negInf));
  return where(isFinite(x), x, where(isNaN(x), nan, infinite));
}

/**
 * Sums the floats over axes, all when none is given, that are not NaN; 0 where there are none. NaN
 * has the gradient 0.
 * @param options `axis` and `keepDims`.
 * @example await nanSum(tensor([1, NaN, 2])).item(); // 3
 */
export function nanSum(x: Tensor, options: ReduceOptions = {}, ...surplus: never[]): Tensor {
  const { x: rows, restore } = reducedRows("nanSum", x, options, surplus, "float");
  return restore(sumRows(where(isNaN(rows), 0, rows)));
}

/**
 * Averages the floats over axes, all when none is given, that are not NaN; NaN where there are
 * none. NaN has the gradient 0.
 * @param options `axis` and `keepDims`.
 * @example await nanMean(tensor([1, NaN, 2])).item(); // 1.5
 */
export function nanMean(x: Tensor, options: ReduceOptions = {}, ...surplus: never[]): Tensor {
  const { x: rows, restore } = reducedRows("nanMean", x, options, surplus, "float");
  const missing = isNaN(rows);
  const count = sumRows(cast(logicalNot(missing), x.dtype));
  return restore(div(sumRows(where(missing, 0, rows)), count));
}
