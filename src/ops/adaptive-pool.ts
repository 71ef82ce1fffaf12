import { checkOptions, isInteger, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { formatShape, stridesOf } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { takeAlongAxis } from "./along-axis.ts";
import { add, mul } from "./arithmetic.ts";
import {
  type ChannelsLast,
  channelsLast,
  type Layout1d,
  type Layout2d,
  type Layout3d,
} from "./channels.ts";
import { checkDomain } from "./domain.ts";
import { indicesOf, type MaxPooled, rowMaxima } from "./max-pool.ts";
import { fromRows, leastOf, type Pooled, windowRows } from "./pool.ts";
import { argmax, mean } from "./reduce.ts";
import { asRows } from "./rows.ts";
import { concat, slice } from "./slice.ts";

/** Options of adaptive pooling. */
export interface AdaptivePoolOptions<Layout extends string = Layout2d> {
  /** The order of x's axes, and of the result's; channels follow n when left out. */
  layout?: Layout;
}

/** Options of adaptive pooling of maxima. */
export interface AdaptiveMaxPoolOptions<Layout extends string = Layout2d>
  extends AdaptivePoolOptions<Layout> {
  /** Whether to say too where the largest elements are; false when left out. */
  returnIndices?: boolean;
}

/** Sizes of results: one for all axes, or one for each, null for the input's own. */
export type OutputSize = number | readonly (number | null)[];

/** The names of `AdaptivePoolOptions`. */
export const ADAPTIVE: Known<AdaptivePoolOptions> = { layout: "string" };
/** The names of `AdaptiveMaxPoolOptions`. */
export const ADAPTIVE_MAX: Known<AdaptiveMaxPoolOptions> = {
  ...ADAPTIVE,
  returnIndices: "boolean",
};

/** A batch, and sizes of its result. */
interface Adaptive extends ChannelsLast {
  readonly outputs: readonly number[];
}

/** The sizes of a result, null for the input's own; throws a `ShapeError` for others. */
export function sizesOfResult(
  op: string,
  size: OutputSize,
  axes: readonly number[],
): readonly (number | null)[] {
  const given: readonly (number | null)[] = Array.isArray(size) ? size : axes.map(() => size);
  if (given.length === axes.length && given.every((n) => n === null || isInteger(n, 1))) {
    return given;
  }
  throw new ShapeError(
    `${op}: size ${quote(size)} for axes ${formatShape(axes)}; expected an integer from 1, or ` +
      "one or null for each",
  );
}

function adaptive(
  op: string,
  rank: number,
  x: Tensor,
  size: OutputSize,
  options: AdaptivePoolOptions<string>,
): Adaptive {
  checkTensors(op, [x]);
  checkDomain(op, x.dtype, "float");
  const batch = channelsLast(op, x, rank, options.layout);
  const { sizes, axes } = batch;
  const outputs = sizesOfResult(op, size, axes).map((n, i) => n ?? sizes[i]);
  if (sizes.includes(0)) {
    throw new ShapeError(
      `${op}: input ${formatShape(x.shape)}; expected at least one element along axes ` +
        formatShape(axes),
    );
  }
  return { ...batch, outputs };
}

/** Windows of one size that cut each axis; null where sizes are no multiples of the result's. */
function evenly(batch: Adaptive): Pooled | null {
  const { sizes, outputs } = batch;
  if (sizes.some((n, i) => n % outputs[i] !== 0)) return null;
  const windowed = sizes.map((input, i) => {
    const size = input / outputs[i];
    return { input, size, stride: size, dilation: 1, before: 0, after: 0, output: outputs[i] };
  });
  return { ...batch, windowed };
}

/** Where the windows of an axis of n begin and end. */
function rangesOf(n: number, outputs: number): readonly { start: number; end: number }[] {
  return Array.from({ length: outputs }, (_, i) => {
    return { start: Math.floor((i * n) / outputs), end: Math.ceil(((i + 1) * n) / outputs) };
  });
}

/** The part of an axis. */
function rangeOfAxis(x: Tensor, axis: number, range: { start: number; end: number }): Tensor {
  return slice(x, [...Array(axis).fill({}), range]);
}

/** Averages to a size along so many axes, as `op`. */
export function adaptiveAvgPool(
  op: string,
  rank: number,
  x: Tensor,
  size: OutputSize,
  options: AdaptivePoolOptions<string>,
  surplus: readonly unknown[],
): Tensor {
  checkOptions(op, options as AdaptivePoolOptions, ADAPTIVE, surplus);
  const batch = adaptive(op, rank, x, size, options);
  const even = evenly(batch);
  if (even) return fromRows(mean(windowRows(batch.x, even.windowed, 0), { axis: 1 }), even);
  // A mean of means of as many each, axis by axis.
  const y = batch.outputs.reduce((y, count, i) => {
    const axis = i + 1;
    const ranges = rangesOf(y.shape[axis], count);
    const parts = ranges.map((range) =>
      mean(rangeOfAxis(y, axis, range), { axis, keepDims: true }),
    );
    return concat(parts, { axis });
  }, batch.x);
  return batch.restore(y);
}

/** Takes the largest of windows along so many axes, as `op`, so that the result has a size. */
export function adaptiveMaxPool(
  op: string,
  rank: number,
  x: Tensor,
  size: OutputSize,
  options: AdaptiveMaxPoolOptions<string>,
  surplus: readonly unknown[],
): Tensor | MaxPooled {
  checkOptions(op, options as AdaptiveMaxPoolOptions, ADAPTIVE_MAX, surplus);
  const batch = adaptive(op, rank, x, size, options);
  const even = evenly(batch);
  const { values, indices } = even ? evenMaxima(even) : unevenMaxima(batch);
  return options.returnIndices ? { values, indices } : values;
}

function evenMaxima(even: Pooled): MaxPooled {
  const rows = windowRows(even.x, even.windowed, leastOf(even.x));
  const indices = even.restore(indicesOf(rows, even));
  return { values: fromRows(rowMaxima(rows), even), indices };
}

/** Maxima of maxima, from the last axis to the first: of equal elements the first in order is found. */
function unevenMaxima({ x, sizes, outputs, restore }: Adaptive): MaxPooled {
  const strides = stridesOf(sizes);
  let values = x;
  let indices: Tensor | null = null;
  for (let i = sizes.length - 1; i >= 0; i--) {
    const axis = i + 1;
    const found = rangesOf(sizes[i], outputs[i]).map((range) => {
      const part = rangeOfAxis(values, axis, range);
      const place = argmax(part, { axis, keepDims: true });
      const own = mul(add(place, range.start), strides[i]);
      const rows = asRows("max", part, { axis, keepDims: true });
      const inner = indices && takeAlongAxis(rangeOfAxis(indices, axis, range), place, { axis });
      return [rows.restore(rowMaxima(rows.x)), inner ? add(inner, own) : own] as const;
    });
    [values, indices] = [0, 1].map((k) =>
      concat(
        found.map((pair) => pair[k]),
        { axis },
      ),
    );
  }
  return { values: restore(values), indices: restore(indices as Tensor) };
}

/** Averages series `[n, channels, width]` to a size: see `adaptiveAvgPool2d`. */
export function adaptiveAvgPool1d(
  x: Tensor,
  size: OutputSize,
  options: AdaptivePoolOptions<Layout1d> = {},
  ...surplus: never[]
): Tensor {
  return adaptiveAvgPool("adaptiveAvgPool1d", 1, x, size, options, surplus);
}

/**
 * Averages images to a size: of n elements of an axis window i of m has those from ⌊i·n/m⌋ to before
 * ⌈(i + 1)·n/m⌉, as in PyTorch. A size of 1 averages whole images.
 * @param x floats `[n, channels, height, width]`, or without n; channels last with `layout: "NHWC"`.
 * @param size of the result: one number for both axes, or one for each, null for x's own.
 * @throws ShapeError for sizes that are no integers from 1, and x without elements.
 * @example adaptiveAvgPool2d(zeros([2, 16, 28, 28]), [7, 5]).shape; // [2, 16, 7, 5]
 */
export function adaptiveAvgPool2d(
  x: Tensor,
  size: OutputSize,
  options: AdaptivePoolOptions = {},
  ...surplus: never[]
): Tensor {
  return adaptiveAvgPool("adaptiveAvgPool2d", 2, x, size, options, surplus);
}

/** Averages volumes `[n, channels, depth, height, width]` to a size: see `adaptiveAvgPool2d`. */
export function adaptiveAvgPool3d(
  x: Tensor,
  size: OutputSize,
  options: AdaptivePoolOptions<Layout3d> = {},
  ...surplus: never[]
): Tensor {
  return adaptiveAvgPool("adaptiveAvgPool3d", 3, x, size, options, surplus);
}

/** Takes the largest elements of series' windows: see `adaptiveMaxPool2d`. */
export function adaptiveMaxPool1d(
  x: Tensor,
  size: OutputSize,
  options: AdaptiveMaxPoolOptions<Layout1d> & { returnIndices: true },
  ...surplus: never[]
): MaxPooled;
export function adaptiveMaxPool1d(
  x: Tensor,
  size: OutputSize,
  options?: AdaptiveMaxPoolOptions<Layout1d>,
  ...surplus: never[]
): Tensor;
export function adaptiveMaxPool1d(
  x: Tensor,
  size: OutputSize,
  options: AdaptiveMaxPoolOptions<Layout1d> = {},
  ...surplus: never[]
): Tensor | MaxPooled {
  return adaptiveMaxPool("adaptiveMaxPool1d", 1, x, size, options, surplus);
}

/**
 * Takes the largest elements of images' windows so that the result has a size: windows are those of
 * `adaptiveAvgPool2d`; the first of equal elements has the gradient.
 * @param options with `returnIndices: true` the result is `{ values, indices }`: see `maxPool2d`.
 * @throws ShapeError for sizes that are no integers from 1, and x without elements.
 * @example adaptiveMaxPool2d(zeros([2, 16, 28, 28]), 1).shape; // [2, 16, 1, 1]
 */
export function adaptiveMaxPool2d(
  x: Tensor,
  size: OutputSize,
  options: AdaptiveMaxPoolOptions & { returnIndices: true },
  ...surplus: never[]
): MaxPooled;
export function adaptiveMaxPool2d(
  x: Tensor,
  size: OutputSize,
  options?: AdaptiveMaxPoolOptions,
  ...surplus: never[]
): Tensor;
export function adaptiveMaxPool2d(
  x: Tensor,
  size: OutputSize,
  options: AdaptiveMaxPoolOptions = {},
  ...surplus: never[]
): Tensor | MaxPooled {
  return adaptiveMaxPool("adaptiveMaxPool2d", 2, x, size, options, surplus);
}

/** Takes the largest elements of volumes' windows: see `adaptiveMaxPool2d`. */
export function adaptiveMaxPool3d(
  x: Tensor,
  size: OutputSize,
  options: AdaptiveMaxPoolOptions<Layout3d> & { returnIndices: true },
  ...surplus: never[]
): MaxPooled;
export function adaptiveMaxPool3d(
  x: Tensor,
  size: OutputSize,
  options?: AdaptiveMaxPoolOptions<Layout3d>,
  ...surplus: never[]
): Tensor;
export function adaptiveMaxPool3d(
  x: Tensor,
  size: OutputSize,
  options: AdaptiveMaxPoolOptions<Layout3d> = {},
  ...surplus: never[]
): Tensor | MaxPooled {
  return adaptiveMaxPool("adaptiveMaxPool3d", 3, x, size, options, surplus);
}
