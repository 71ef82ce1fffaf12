import { checkEach } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, normalizeAxis, type Shape, sameShape, sizeOf } from "../core/shape.ts";
import type { KernelForm } from "../forms/kernel.ts";
import { customGrad } from "../graph/custom-grad.ts";
import { jointly } from "../graph/jointly.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { applyAll, checkTensors, type Tensor } from "../graph/tensor.ts";
import { rowParts } from "../kernels/choose.ts";
import { BUILT_INS } from "../kernels/shaders.ts";
import { standardRows } from "../kernels/standardize.ts";
import { add, mul, square, sub } from "./arithmetic.ts";
import { stretch } from "./broadcast.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { type Moments, moments } from "./moments.ts";
import { mean } from "./reduce.ts";
import { inShape } from "./reshape.ts";
import { rsqrt } from "./root.ts";
import { asRows, forEachRow, rowsForm } from "./rows.ts";
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

interface StandardAttributes extends Record<string, unknown> {
  /** What is added to variances. */
  readonly epsilon: number;
}

/** What standardizing rows is made of. */
function standardParts([x]: readonly Tensor[], { epsilon }: StandardAttributes): Tensor[] {
  const { variance, rest } = centered(x);
  const scale = rsqrt(add(variance, epsilon));
  return [mul(rest, stretch(scale, x.shape)), inShape(scale, [x.shape[0]])];
}

/** y[row, i] = (x[row, i] − mean) · z[row], z[row] = 1 / √(variance + ε). */
const standardizeOp: OpDefinition<StandardAttributes> = defineOp<StandardAttributes>({
  name: "standardize",
  infer: ([{ shape, dtype }]) => [
    { shape, dtype },
    { shape: [shape[0]], dtype },
  ],
  flops: ([x]) => 6 * sizeOf(x.shape),
  cpuAll: ([y, z], [x], { epsilon }) =>
    forEachRow(x, (row, data, start, stride, length) => {
      const first = data[start]; // near which the mean is taken, as kernels do
      const near = (i: number) => data[start + i * stride] - first;
      let sum = 0; // in float64
      for (let i = 0; i < length; i++) sum += near(i);
      const center = sum / length;
      let squares = 0;
      for (let i = 0; i < length; i++) squares += (near(i) - center) ** 2;
      const scale = 1 / Math.sqrt(squares / length + epsilon);
      for (let i = 0; y && i < length; i++) y.data[row * length + i] = (near(i) - center) * scale;
      if (z) z.data[row] = scale;
    }),
  form: {
    ...rowsForm(standardRows, undefined, BUILT_INS),
    functions: (_, { epsilon }) => ({
      scale_of: (m, x) =>
        m.call("/", m.literal(1), m.call("g_sqrt", m.call("+", x, m.number(epsilon)))),
    }),
  } as KernelForm<StandardAttributes>,
  composed: standardParts,
  lower: (inputs, attributes, traits) => {
    const [ROWS, LENGTH] = inputs[0].shape;
    return rowParts({ ROWS, LENGTH }, traits) > 1 ? standardParts(inputs, attributes) : null;
  },
  vjp: null,
  vjpAll: jointly(([g, gScale], { inputs: [x], results: [y, scale] }) => {
    const whole = (z: Tensor) => stretch(inShape(z, [x.shape[0], 1]), x.shape);
    const parts: Tensor[] = [];
    if (g) {
      // dx = (g − mean(g) − y · mean(g · y)) · z
      const [a, b] = [g, mul(g, y)].map((z) => stretch(mean(z, ROW), x.shape));
      parts.push(mul(whole(scale), sub(sub(g, a), mul(y, b))));
    }
    // dz = −z² · y / n
    if (gScale) parts.push(mul(whole(mul(gScale, square(scale))), mul(y, -1 / x.shape[1])));
    return [parts.reduce((a, b) => add(a, b))];
  }),
});

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
  return x.size === 0 ? x : rows.restoreAll(applyAll(standardizeOp, [rows.x], { epsilon })[0]);
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
