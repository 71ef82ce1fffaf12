import { checkEach, checkOptions, type Known } from "../core/check.ts";
import { normalizeAxes } from "../core/shape.ts";
import { stopGradient } from "../graph/custom-grad.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { div, maximum, mul, square } from "./arithmetic.ts";
import { equal } from "./compare.ts";
import { checkDomain } from "./domain.ts";
import { max, sum } from "./reduce.ts";
import { abs, sqrt } from "./unary.ts";
import { where } from "./where.ts";

/** Options of `l2Normalize`. */
export interface L2NormalizeOptions {
  /** The axis or axes along which a vector runs; the last when left out. */
  axis?: number | readonly number[];
  /** ε, the smallest divisor, a finite number from 1e-36 (1e-36 when left out). */
  epsilon?: number;
}

const NORMALIZE: Known<L2NormalizeOptions> = { axis: "number", epsilon: true };

const SMALLEST = 1e-36;

/**
 * Scales vectors to unit length: y = x / max(‖x‖₂, ε), for lengths of 1e-36 to 1e37 in f32 too.
 * Zero vectors stay zero, and their gradient is 0. Vectors with NaN or ±∞ hold NaN.
 * @throws GradusError for an epsilon out of its range, ShapeError for an axis that is not there,
 * DTypeError unless x holds floats.
 * @example l2Normalize(embeddings); // each row of [n, features]
 */
export function l2Normalize(
  x: Tensor,
  options: L2NormalizeOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("l2Normalize", options, NORMALIZE, surplus);
  checkTensors("l2Normalize", [x]);
  const { epsilon = SMALLEST } = options;
  checkDomain("l2Normalize", x.dtype, "float");
  const axis = normalizeAxes("l2Normalize", options.axis ?? -1, x.rank);
  const holds = (x: unknown) => Number.isFinite(x) && (x as number) >= SMALLEST;
  checkEach("l2Normalize", { epsilon }, holds, `a finite number from ${SMALLEST}`);
  if (x.size === 0) return x;
  const along = { axis, keepDims: true };
  // y does not depend on the scale s, which keeps the squares of u = x / s between 0 and 1.
  const largest = stopGradient(max(abs(x), along));
  const scale = maximum(largest, epsilon);
  const u = where(equal(largest, 0), 0, div(x, scale));
  return div(u, sqrt(maximum(sum(square(u), along), square(div(epsilon, scale)))));
}

/**
 * Computes lengths ‖x‖₂ = Σ x ⊙ x/‖x‖ without squares that overflow or vanish in f32. The gradient
 * x/‖x‖ is 0 for a zero vector.
 */
export function l2Norm(x: Tensor, options: LengthOptions): Tensor {
  return sum(mul(x, l2Normalize(x, { axis: options.axis })), options);
}

interface LengthOptions {
  axis: number | readonly number[];
  keepDims?: boolean;
}
