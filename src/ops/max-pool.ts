import { checkOptions, type Known } from "../core/check.ts";
import { stridesOf } from "../core/shape.ts";
import { customGrad } from "../graph/custom-grad.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { applyAll, type Tensor } from "../graph/tensor.ts";
import { argReduce } from "../kernels/arg-reduce.ts";
import { BITS } from "../kernels/shaders.ts";
import { add, clip, mul, sub } from "./arithmetic.ts";
import { stretch } from "./broadcast.ts";
import type { Layout1d, Layout2d, Layout3d } from "./channels.ts";
import { equal } from "./compare.ts";
import { iota } from "./creation.ts";
import { fromRows, leastOf, type Pooled, type PoolOptions, pooled, windowRows } from "./pool.ts";
import { argmax, better, max, wins } from "./reduce.ts";
import { floorDivide, remainder } from "./remainder.ts";
import { inShape } from "./reshape.ts";
import { forEachRow, reduceFlops, rowsForm } from "./rows.ts";
import type { PerAxis } from "./sliding.ts";
import { where } from "./where.ts";

/** Options of `maxPool1d`, `maxPool2d` and `maxPool3d`. */
export interface MaxPoolOptions<Layout extends string = Layout2d> extends PoolOptions<Layout> {
  /** How far elements of a window lie apart, from 1; 1 when left out. */
  dilation?: PerAxis;
  /** Whether to say too where the largest elements are; false when left out. */
  returnIndices?: boolean;
}

/** The names of `MaxPoolOptions`. */
export const MAX_POOL: Known<MaxPoolOptions> = {
  stride: "number",
  padding: true,
  dilation: true,
  ceilMode: "boolean",
  returnIndices: "boolean",
  layout: "string",
};

/** The largest elements of windows, and where they are. */
export interface MaxPooled {
  readonly values: Tensor;
  /** Their row-major numbers among an image's pixels, i32. */
  readonly indices: Tensor;
}

const isBetter = /* @__PURE__ */ wins("max");

/** y[row] = the first i at which x[row, i] is NaN, else largest; z[row] = x[row, y[row]]. */
const largestOp: OpDefinition<Record<string, never>> = /* @__PURE__ */ defineOp<
  Record<string, never>
>({
  name: "largest",
  infer: ([{ shape, dtype }]) => [
    { shape: [shape[0]], dtype: "i32" },
    { shape: [shape[0]], dtype },
  ],
  cpuAll: ([places, values], [x]) =>
    forEachRow(x, (row, data, start, stride, length) => {
      let best = 0;
      let most = data[start];
      for (let i = 1; i < length; i++) {
        const x = data[start + i * stride];
        if (isBetter(x, data[start + best * stride])) best = i;
        most = Math.max(most, x); // 0 of zeros of both signs, as `max` has it
      }
      if (places) places.data[row] = best;
      if (values) values.data[row] = most;
    }),
  flops: reduceFlops,
  form: /* @__PURE__ */ rowsForm(argReduce, (dtype) => ({ better: better("max", dtype) }), BITS),
  composed: ([x]) => [argmax(x, { axis: 1 }), max(x, { axis: 1 })],
  vjp: null,
});

/** Where the first of the largest of each row `[rows, n]` is, and what it is: found at once. */
function largest(x: Tensor): Tensor[] {
  return applyAll(largestOp, [x], {});
}

/** The largest of each row `[rows, n]`; the first of equal ones has the gradient. */
export function rowMaxima(x: Tensor): Tensor {
  const find = customGrad(
    (x: Tensor) => largest(x)[1],
    (g, _, x) => {
      const [rows, n] = x.shape;
      const [place, own] = [largest(x)[0], g].map((y) => stretch(inShape(y, [rows, 1]), x.shape));
      const here = stretch(iota(n, "i32", x.device), x.shape);
      return [where(equal(place, here), own, 0)];
    },
  );
  return find(x);
}

/** Where in x the largest element of each row is: the row-major number of its pixel. */
export function indicesOf(rows: Tensor, { x, sizes, windowed }: Pooled): Tensor {
  const rank = windowed.length;
  const [n] = x.shape;
  const channels = x.shape[rank + 1];
  const shape = [n, ...windowed.map(({ output }) => output), channels];
  const place = inShape(largest(rows)[0], shape);
  const strides = stridesOf(sizes);
  const inner = stridesOf(windowed.map(({ size }) => size));
  return windowed
    .map(({ size, stride, dilation, before, output, input }, i) => {
      const own = remainder(floorDivide(place, inner[i]), size);
      const window = mul(iota(output, "i32", x.device), stride);
      const along = inShape(window, [output, ...Array(rank - i).fill(1)]);
      const at = sub(add(mul(own, dilation), along), before);
      return mul(clip(at, 0, input - 1), strides[i]);
    })
    .reduce((a, b) => add(a, b));
}

/** Takes the largest of windows along so many axes, as `op`. */
export function maxPool(
  op: string,
  rank: number,
  x: Tensor,
  size: PerAxis,
  options: MaxPoolOptions<string>,
  surplus: readonly unknown[],
): Tensor | MaxPooled {
  checkOptions(op, options as MaxPoolOptions, MAX_POOL, surplus);
  const batch = pooled(op, rank, x, size, options);
  const rows = windowRows(batch.x, batch.windowed, leastOf(x));
  const values = fromRows(rowMaxima(rows), batch);
  if (!options.returnIndices) return values;
  return { values, indices: batch.restore(indicesOf(rows, batch)) };
}

/** Takes the largest element of each window over series `[n, channels, width]`: see `maxPool2d`. */
export function maxPool1d(
  x: Tensor,
  size: PerAxis,
  options: MaxPoolOptions<Layout1d> & { returnIndices: true },
  ...surplus: never[]
): MaxPooled;
export function maxPool1d(
  x: Tensor,
  size: PerAxis,
  options?: MaxPoolOptions<Layout1d>,
  ...surplus: never[]
): Tensor;
export function maxPool1d(
  x: Tensor,
  size: PerAxis,
  options: MaxPoolOptions<Layout1d> = {},
  ...surplus: never[]
): Tensor | MaxPooled {
  return maxPool("maxPool1d", 1, x, size, options, surplus);
}

/**
 * Takes the largest element of each window over images; the first of equal ones has the gradient.
 * What lies around x counts as −∞.
 * @param x floats `[n, channels, height, width]`, or without n; channels last with `layout: "NHWC"`.
 * @param size elements of a window, from 1: one number for all axes, or one for each.
 * @param options with `returnIndices: true` the result is `{ values, indices }`; of indices, i32, each
 * is the row-major number of a pixel among its image's, as `maxUnpool2d` takes them.
 * @throws ShapeError for windows larger than x, and padding of more than half a window.
 * @example maxPool2d(zeros([2, 16, 28, 28]), 2).shape; // [2, 16, 14, 14]
 */
export function maxPool2d(
  x: Tensor,
  size: PerAxis,
  options: MaxPoolOptions & { returnIndices: true },
  ...surplus: never[]
): MaxPooled;
export function maxPool2d(
  x: Tensor,
  size: PerAxis,
  options?: MaxPoolOptions,
  ...surplus: never[]
): Tensor;
export function maxPool2d(
  x: Tensor,
  size: PerAxis,
  options: MaxPoolOptions = {},
  ...surplus: never[]
): Tensor | MaxPooled {
  return maxPool("maxPool2d", 2, x, size, options, surplus);
}

/** Takes the largest element of each window over volumes `[n, channels, depth, height, width]`: see `maxPool2d`. */
export function maxPool3d(
  x: Tensor,
  size: PerAxis,
  options: MaxPoolOptions<Layout3d> & { returnIndices: true },
  ...surplus: never[]
): MaxPooled;
export function maxPool3d(
  x: Tensor,
  size: PerAxis,
  options?: MaxPoolOptions<Layout3d>,
  ...surplus: never[]
): Tensor;
export function maxPool3d(
  x: Tensor,
  size: PerAxis,
  options: MaxPoolOptions<Layout3d> = {},
  ...surplus: never[]
): Tensor | MaxPooled {
  return maxPool("maxPool3d", 3, x, size, options, surplus);
}
