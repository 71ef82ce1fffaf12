import { checkEach, checkOptions, checkPositive, checkSurplus } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, clip, div, maximum, mul, square } from "../ops/arithmetic.ts";
import { stretch } from "../ops/broadcast.ts";
import { equal, greater, less, logicalAnd } from "../ops/compare.ts";
import { arange, full } from "../ops/creation.ts";
import { max, sum } from "../ops/reduce.ts";
import { reshape } from "../ops/reshape.ts";
import { slice } from "../ops/slice.ts";
import { abs, isFinite, isNaN, sqrt } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { checkGradientList } from "./check.ts";

/**
 * Limits every element of the gradients to [−limit, limit]; NaN stays NaN.
 * @throws GradusError unless the limit is a finite number above 0.
 */
export function clipByValue(
  gradients: readonly Tensor[],
  limit: number,
  ...surplus: never[]
): Tensor[] {
  checkSurplus("clipByValue(gradients, limit)", surplus);
  checkGradientList("clipByValue", gradients);
  checkPositive("clipByValue", { limit });
  return gradients.map((g) => where(isNaN(g), g, clip(g, -limit, limit)));
}

/** Gradients of limited length, and how long they were. */
export interface ClippedGradients {
  readonly gradients: Tensor[];
  /** ‖g‖ over all gradients before clipping, a scalar. */
  readonly norm: Tensor;
}

/** What elements are multiplied by so that the squares of the largest, or the smallest, stay in f32's range. */
const FAR = 2 ** -96;

/** Options of `clipByGlobalNorm`. */
export interface ClipOptions {
  /** The power p: 1 for Σ |g|, 2 for √Σ g², ∞ for the largest |g|; 2 when left out. */
  norm?: number;
}

/**
 * Shortens gradients so that their common norm is at most `maxNorm`, keeping their direction:
 *
 *     g ← g · min(1, maxNorm / ‖g‖),   ‖g‖ = √(Σ over all gradients and elements g²)
 *
 * or Σ |g| or max |g|. Elements whose squares are above or below the range of f32 count rightly, and zeros stay zeros. Where the norm itself is
 * infinite or NaN no factor is right: the gradients stay as they are, and `norm` tells.
 * Source: Pascanu et al. 2013, "On the difficulty of training recurrent neural networks",
 * Algorithm 1.
 * @throws GradusError for no gradients, or unless `maxNorm` is a finite number above 0.
 */
export function clipByGlobalNorm(
  gradients: readonly Tensor[],
  maxNorm: number,
  options: ClipOptions = {},
  ...surplus: never[]
): ClippedGradients {
  checkOptions<ClipOptions>("clipByGlobalNorm", options, { norm: "number" }, surplus);
  const { norm: power = 2 } = options;
  checkGradientList("clipByGlobalNorm", gradients);
  checkPositive("clipByGlobalNorm", { maxNorm });
  if (gradients.length === 0) {
    throw new GradusError("clipByGlobalNorm: no gradients; expected at least one");
  }
  const isKnown = (x: unknown) => NORMS.has(x as number);
  checkEach("clipByGlobalNorm", { norm: power }, isKnown, "1, 2 or Infinity");
  const norm = (NORMS.get(power) as Norm)(gradients);
  const isLong = logicalAnd(isFinite(norm), greater(norm, maxNorm));
  // A factor that may be below f32's range is −2⁹⁶ times as large, and stays one number so.
  const isFar = greater(norm, maxNorm / FAR);
  const share = where(isFar, div(-maxNorm, mul(norm, FAR)), div(maxNorm, norm));
  const factor = where(isLong, share, 1);
  const far = full([], -FAR, { dtype: norm.dtype, device: norm.device });
  const clipped = (g: Tensor) => {
    const own = stretch(factor, g.shape); // so that kernels bind no other number beside it
    return mul(mul(g, own), where(less(own, 0), far, 1));
  };
  return { gradients: gradients.map(clipped), norm };
}

/** The length of all gradients together, a scalar. */
type Norm = (gradients: readonly Tensor[]) => Tensor;

const NORMS: ReadonlyMap<number, Norm> = new Map<number, Norm>([
  [1, (gradients) => gradients.map((g) => sum(abs(g))).reduce((a, b) => add(a, b))],
  [2, globalNorm],
  [
    Number.POSITIVE_INFINITY,
    // Of no elements the sum, which is 0, for there is no largest.
    (gradients) =>
      gradients.map((g) => (g.size > 0 ? max : sum)(abs(g))).reduce((a, b) => maximum(a, b)),
  ],
]);

/** Below this, squares may have been below f32's range. */
const LITTLE = 2 ** -40;

/**
 * ‖g‖ of at least one gradient: √Σ g², 2⁹⁶ √Σ (2⁻⁹⁶ g)² where that overflows, or 2⁻⁹⁶ √Σ (2⁹⁶ g)² where
 * it is little; one kernel sums all three.
 */
export function globalNorm(gradients: readonly Tensor[]): Tensor {
  const options = { dtype: gradients[0].dtype, device: gradients[0].device };
  const place = arange(3, undefined, 1, options);
  const others = where(equal(place, 1), full([], FAR, options), 1 / FAR);
  const scales = where(equal(place, 0), 1, others);
  const total = gradients.map((g) => sumSquares(g, scales)).reduce((a, b) => add(a, b));
  const [near, far, small] = [0, 1, 2].map((i) => sqrt(slice(total, [{ start: i, end: i + 1 }])));
  const large = where(isFinite(near), near, mul(far, 1 / FAR));
  return reshape(where(less(near, LITTLE), mul(small, FAR), large), []);
}

/** Σ (scale · g)² for each of the scales. */
function sumSquares(g: Tensor, scales: Tensor): Tensor {
  const rows = mul(reshape(g, [1, g.size]), reshape(scales, [scales.size, 1]));
  return sum(square(rows), { axis: 1 });
}
