import { checkEach, checkOptions, type Known } from "../core/check.ts";
import { stopGradient } from "../graph/custom-grad.ts";
import { checkTensors, type ReduceOptions, type Tensor } from "../graph/tensor.ts";
import { clip, div, mul, square } from "./arithmetic.ts";
import { cast } from "./cast.ts";
import { lessEqual } from "./compare.ts";
import { countNonZero } from "./count.ts";
import { checkDomain } from "./domain.ts";
import { pow } from "./pow.ts";
import { max, min, sum } from "./reduce.ts";
import { expandDims } from "./reshape.ts";
import { safeSqrt } from "./root.ts";
import { asRows, REDUCE } from "./rows.ts";
import { abs } from "./unary.ts";
import { where } from "./where.ts";

/** Options of `norm`. */
export interface NormOptions extends ReduceOptions {
  /**
   * p, from 0, or ±∞, or "fro" for the norm of Frobenius, which is that of p = 2; 2 when left out.
   */
  order?: number | "fro";
}

const NORM: Known<NormOptions> = { ...REDUCE, order: true };

/** Numbers by which squares and powers are kept within the range of f32. */
const [SMALLEST, LARGEST] = [2 ** -100, 2 ** 100];

/**
 * Computes the p-norm (Σ |x|ᵖ)^(1/p) over axes, all when none is given: Σ |x| for p = 1, the length
 * √Σ x² for p = 2, the largest |x| for ∞, the smallest for −∞, and how many are not 0 for p = 0.
 * Lengths of numbers from 1e-37 to 1e38 neither vanish nor overflow on the way, in f32 too. 0 where
 * there are none, an error for ±∞. The gradient at 0 is 0, also for p < 1, where there is none;
 * largest ones share it.
 * @param options `order`, `axis` and `keepDims`.
 * @throws GradusError for another order, ShapeError for an axis that is not there, DTypeError
 * unless x holds floats.
 * @example
 * await norm(tensor([3, -4])).item(); // 5
 * await norm(tensor([3, -4]), { order: Infinity }).item(); // 4
 */
export function norm(x: Tensor, options: NormOptions = {}, ...surplus: never[]): Tensor {
  checkOptions("norm", options, NORM, surplus);
  checkTensors("norm", [x]);
  checkDomain("norm", x.dtype, "float");
  const order = options.order === "fro" ? 2 : (options.order ?? 2);
  const isOrder = (p: unknown) => (p as number) >= 0 || p === Number.NEGATIVE_INFINITY;
  const holds = (p: unknown) => typeof p === "number" && isOrder(p);
  checkEach("norm", { order }, holds, 'a number from 0, Infinity, -Infinity or "fro"');
  const { x: rows, length, restore } = asRows("norm", x, options);
  return restore(rowNorm(rows, length, order));
}

/** The p-norm of each row. */
function rowNorm(x: Tensor, length: number, p: number): Tensor {
  const row = { axis: 1 };
  if (p === 0) return cast(countNonZero(x, row), x.dtype);
  const sizes = abs(x);
  if (p === 1 || (length === 0 && Number.isFinite(p))) return sum(sizes, row);
  if (p === Number.POSITIVE_INFINITY) return max(sizes, row);
  if (p === Number.NEGATIVE_INFINITY) return min(sizes, row);
  // The norm does not depend on the scale.
  const scale = clip(stopGradient(max(sizes, row)), SMALLEST, LARGEST);
  const u = div(sizes, expandDims(scale, 1));
  const root = p === 2 ? safeSqrt(sum(square(u), row)) : powerOf(sum(powerOf(u, p), row), 1 / p);
  return mul(scale, root);
}

/** xᵖ of x > 0; from 0 down it is 0 with the slope 0. NaN stays. */
function powerOf(x: Tensor, p: number): Tensor {
  const flat = lessEqual(x, 0);
  return where(flat, 0, pow(where(flat, 1, x), p));
}
