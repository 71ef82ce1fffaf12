import { checkEach } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, normalizeAxis, type Shape, sameShape } from "../core/shape.ts";
import { customGrad } from "../graph/custom-grad.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, mul, square, sub } from "./arithmetic.ts";
import { stretch } from "./broadcast.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { type Moments, moments } from "./moments.ts";
import { mean } from "./reduce.ts";
import { inShape } from "./reshape.ts";
import { rsqrt } from "./root.ts";
import { asRows } from "./rows.ts";
import { slice } from "./slice.ts";

const ROW = { axis: 1, keepDims: true };

/** The moments of rows, and what is left of x without the means. */
interface Centered extends Moments {
  readonly rest: Tensor;
}

/**
 * Takes means from rows `[rows, n]`: first each row's first element, so that what is left of numbers far
 * from 0 keeps its digits.
 */
export function centered(x: Tensor): Centered {
  const first = slice(x, [{}, { end: 1 }]);
  const near = sub(x, stretch(first, x.shape));
  const own = moments(near, ROW);
  return {
    mean: add(own.mean, first),
    variance: own.variance,
    rest: sub(near, stretch(own.mean, x.shape)),
  };
}

/** y = (x − mean) / √(variance + ε) of each row. */
function standardizedRows(x: Tensor, epsilon: number): Tensor {
  const scaleOf = ({ variance }: Moments) => stretch(rsqrt(add(variance, epsilon)), x.shape);
  return customGrad(
    (x: Tensor) => {
      const own = centered(x);
      return mul(own.rest, scaleOf(own));
    },
    // dx = (g − mean(g) − y · mean(g · y)) / √(variance + ε)
    (g, y, x) => {
      const [a, b] = [g, mul(g, y)].map((z) => stretch(mean(z, ROW), x.shape));
      return [mul(scaleOf(centered(x)), sub(sub(g, a), mul(y, b)))];
    },
  )(x);
}

/** y = x / √(mean(x²) + ε) of each row. */
function rootMeanSquareRows(x: Tensor, epsilon: number): Tensor {
  const scaleOf = (x: Tensor) => stretch(rsqrt(add(mean(square(x), ROW), epsilon)), x.shape);
  return customGrad(
    (x: Tensor) => mul(x, scaleOf(x)),
    // dx = (g − y · mean(g · y)) / √(mean(x²) + ε)
    (g, y, x) => {
      const share = stretch(mean(mul(g, y), ROW), x.shape);
      return [mul(scaleOf(x), sub(g, mul(y, share)))];
    },
  )(x);
}

/** Gives the elements over some axes mean 0 and variance 1, nearly. */
export function standardized(op: string, x: Tensor, axis: readonly number[], epsilon: number) {
  const rows = asRows(op, x, { axis });
  return x.size === 0 ? x : rows.restoreAll(standardizedRows(rows.x, epsilon));
}

/** Gives the elements over some axes a mean square of 1, nearly. */
export function rootMeanSquared(op: string, x: Tensor, axis: readonly number[], epsilon: number) {
  const rows = asRows(op, x, { axis });
  return x.size === 0 ? x : rows.restoreAll(rootMeanSquareRows(rows.x, epsilon));
}

/** What normalised elements are multiplied with, and what is added. */
export interface Affine {
  /** What is multiplied with; nothing when left out. */
  weight?: Tensor;
  /** What is added; nothing when left out. */
  bias?: Tensor;
}

/** Throws unless tensors, as far as they are given, are of a shape and of x's dtype. */
export function checkOfShape(
  op: string,
  x: Tensor,
  given: Readonly<Record<string, Tensor | undefined>>,
  shape: Shape,
): void {
  for (const [name, own] of Object.entries(given)) {
    if (own === undefined) continue;
    checkTensors(op, [own]);
    checkSameDType(op, x, own);
    if (sameShape(own.shape, shape)) continue;
    throw new ShapeError(
      `${op}: ${name} ${formatShape(own.shape)}; expected ${formatShape(shape)}`,
    );
  }
}

/** y = x · weight + bias, which have x's axes from one on, as far as they go. */
export function withAffine(x: Tensor, { weight, bias }: Affine, axis: number): Tensor {
  const along = (own: Tensor) => {
    return inShape(own, [...own.shape, ...Array(x.rank - axis - own.rank).fill(1)]);
  };
  const y = weight ? mul(x, along(weight)) : x;
  return bias ? add(y, along(bias)) : y;
}

/** Throws unless ε is a finite number from 0. */
export function checkEpsilon(op: string, epsilon: number): void {
  const holds = (n: unknown) => Number.isFinite(n) && (n as number) >= 0;
  checkEach(op, { epsilon }, holds, "a finite number from 0");
}

/** The axis of channels of floats `[n, channels, …]`, or the one that is given. */
export function channelAxis(op: string, x: Tensor, axis = 1): number {
  checkTensors(op, [x]);
  checkDomain(op, x.dtype, "float");
  if (x.rank < 2) {
    throw new ShapeError(`${op}: input ${formatShape(x.shape)}; expected at least two axes`);
  }
  return normalizeAxis(op, axis, x.rank);
}
