import { checkOptions, checkPositive, type Known } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, minimum, mul, sub } from "./arithmetic.ts";
import type { Layout1d, Layout2d, Layout3d } from "./channels.ts";
import { greater } from "./compare.ts";
import { iota } from "./creation.ts";
import { type Pooled, type PooledAxis, type PoolOptions, pooled, windowRows } from "./pool.ts";
import { pow } from "./pow.ts";
import { sum } from "./reduce.ts";
import { inShape } from "./reshape.ts";
import type { PerAxis } from "./sliding.ts";
import { abs } from "./unary.ts";
import { where } from "./where.ts";

/** Options of `avgPool1d`, `avgPool2d` and `avgPool3d`. */
export interface AvgPoolOptions<Layout extends string = Layout2d> extends PoolOptions<Layout> {
  /** Whether zeros around x count as elements; true when left out. */
  countIncludePad?: boolean;
  /** By what sums are divided, a positive number; their elements when left out. */
  divisorOverride?: number;
}

/** The names of `AvgPoolOptions`. */
export const AVG_POOL: Known<AvgPoolOptions> = {
  stride: "number",
  padding: true,
  ceilMode: "boolean",
  countIncludePad: "boolean",
  divisorOverride: true,
  layout: "string",
};

/** The names of `PoolOptions`, for checks. */
export const LP_POOL: Known<PoolOptions> = {
  stride: "number",
  padding: true,
  ceilMode: "boolean",
  layout: "string",
};

/** How many elements each window along an axis has, of x and what lies around it or of x alone. */
function countsAlong(one: PooledAxis, includePad: boolean): readonly number[] {
  const { input, before, after, stride, size } = one;
  const [low, high] = includePad ? [-before, input + after] : [0, input];
  return Array.from({ length: one.output }, (_, i) => {
    const start = i * stride - before;
    return Math.min(start + size, high) - Math.max(start, low);
  });
}

/** 1 / the number of elements of each window, `[…outputs, 1]`, or one number for all. */
function shares(x: Tensor, all: readonly PooledAxis[], includePad: boolean): Tensor | number {
  const counts = all.map((one) => countsAlong(one, includePad));
  if (counts.every((own) => own.every((n) => n === own[0]))) {
    return 1 / counts.reduce((product, [n]) => product * n, 1);
  }
  return all
    .map(({ input, before, after, stride, size, output }, i) => {
      const [low, high] = includePad ? [-before, input + after] : [0, input];
      const start = sub(mul(iota(output, x.dtype, x.device), stride), before);
      const count = sub(minimum(add(start, size), high), maximum(start, low));
      return inShape(div(1, count), [output, ...Array(all.length - i).fill(1)]);
    })
    .reduce((a, b) => mul(a, b));
}

/** Sums windows, of `[n, …sizes, channels]` and zeros around it: `[n, …outputs, channels]`. */
function sums(x: Tensor, { windowed }: Pooled): Tensor {
  const rank = windowed.length;
  const shape = [x.shape[0], ...windowed.map(({ output }) => output), x.shape[rank + 1]];
  return inShape(sum(windowRows(x, windowed, 0), { axis: 1 }), shape);
}

/** Averages windows along so many axes, as `op`. */
export function avgPool(
  op: string,
  rank: number,
  x: Tensor,
  size: PerAxis,
  options: AvgPoolOptions<string>,
  surplus: readonly unknown[],
): Tensor {
  checkOptions(op, options as AvgPoolOptions, AVG_POOL, surplus);
  const { divisorOverride, countIncludePad = true } = options;
  if (divisorOverride !== undefined) checkPositive(op, { divisorOverride });
  const batch = pooled(op, rank, x, size, options);
  const share =
    divisorOverride === undefined
      ? shares(x, batch.windowed, countIncludePad)
      : 1 / divisorOverride;
  return batch.restore(mul(sums(batch.x, batch), share));
}

/** Takes norms of windows along so many axes, as `op`. */
export function lpPool(
  op: string,
  rank: number,
  x: Tensor,
  power: number,
  size: PerAxis,
  options: PoolOptions<string>,
  surplus: readonly unknown[],
): Tensor {
  checkOptions(op, options as PoolOptions, LP_POOL, surplus);
  checkPositive(op, { power });
  const batch = pooled(op, rank, x, size, options);
  const total = sums(pow(abs(batch.x), power), batch);
  // A root's slope at 0 is infinite: 0 is taken for its gradient.
  const isSome = greater(total, 0);
  return batch.restore(where(isSome, pow(where(isSome, total, 1), 1 / power), total));
}

/** Averages each window over series `[n, channels, width]`: see `avgPool2d`. */
export function avgPool1d(
  x: Tensor,
  size: PerAxis,
  options: AvgPoolOptions<Layout1d> = {},
  ...surplus: never[]
): Tensor {
  return avgPool("avgPool1d", 1, x, size, options, surplus);
}

/**
 * Averages each window over images. What lies around x counts as zeros, unless `countIncludePad` is
 * false; what a window of `ceilMode` has beyond that does not count.
 * @param x floats `[n, channels, height, width]`, or without n; channels last with `layout: "NHWC"`.
 * @param size elements of a window, from 1: one number for all axes, or one for each.
 * @throws ShapeError for windows larger than x, and padding of more than half a window.
 * @example avgPool2d(zeros([2, 16, 28, 28]), 3, { stride: 2, padding: 1 }).shape; // [2, 16, 14, 14]
 */
export function avgPool2d(
  x: Tensor,
  size: PerAxis,
  options: AvgPoolOptions = {},
  ...surplus: never[]
): Tensor {
  return avgPool("avgPool2d", 2, x, size, options, surplus);
}

/** Averages each window over volumes `[n, channels, depth, height, width]`: see `avgPool2d`. */
export function avgPool3d(
  x: Tensor,
  size: PerAxis,
  options: AvgPoolOptions<Layout3d> = {},
  ...surplus: never[]
): Tensor {
  return avgPool("avgPool3d", 3, x, size, options, surplus);
}

/** Takes the norm of each window over series `[n, channels, width]`: see `lpPool2d`. */
export function lpPool1d(
  x: Tensor,
  power: number,
  size: PerAxis,
  options: PoolOptions<Layout1d> = {},
  ...surplus: never[]
): Tensor {
  return lpPool("lpPool1d", 1, x, power, size, options, surplus);
}

/**
 * Takes the norm (Σ |x|^p)^(1/p) of each window over images; its gradient is 0 where the norm is. Of a
 * shorter window with `ceilMode` too it is the norm of what is there, where PyTorch multiplies by the share
 * that is missing, (size / there)^(1/p).
 * @param power p, a number above 0: 1 sums, and the larger it is, the nearer is the largest element.
 * @param size elements of a window, from 1: one number for all axes, or one for each.
 * @throws ShapeError for windows larger than x, and padding of more than half a window.
 * @example await lpPool2d(tensor([[[3, 4]]]), 2, [1, 2]).item(); // 5
 */
export function lpPool2d(
  x: Tensor,
  power: number,
  size: PerAxis,
  options: PoolOptions = {},
  ...surplus: never[]
): Tensor {
  return lpPool("lpPool2d", 2, x, power, size, options, surplus);
}

/** Takes the norm of each window over volumes `[n, channels, depth, height, width]`: see `lpPool2d`. */
export function lpPool3d(
  x: Tensor,
  power: number,
  size: PerAxis,
  options: PoolOptions<Layout3d> = {},
  ...surplus: never[]
): Tensor {
  return lpPool("lpPool3d", 3, x, power, size, options, surplus);
}
