import { DTYPES } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { type ChannelsLast, channelsLast, type Layout2d } from "./channels.ts";
import { checkDomain } from "./domain.ts";
import { inShape, withAxes } from "./reshape.ts";
import { embed, slice } from "./slice.ts";
import {
  checkWindows,
  countOf,
  type EdgePadding,
  edgesFor,
  forEachAxis,
  type PerAxis,
  type Sliding,
  spanOf,
} from "./sliding.ts";
import { windows } from "./windows.ts";

/** What pooling of all kinds is told of its windows. */
export interface PoolOptions<Layout extends string = Layout2d> {
  /** How far a window lies from the one before, from 1; a window's size when left out. */
  stride?: PerAxis;
  /** What lies around x and counts as in no window, as of convolutions; at most half a window. */
  padding?: EdgePadding | "same" | "valid";
  /** Whether there is one more window where elements are left over, shorter; false when left out. */
  ceilMode?: boolean;
  /** The order of x's axes, and of the result's; channels follow n when left out. */
  layout?: Layout;
}

/** Windows of one axis, and how many there are. */
export interface PooledAxis extends Sliding {
  readonly output: number;
}

/** A batch and the windows that slide over it. */
export interface Pooled extends ChannelsLast {
  readonly windowed: readonly PooledAxis[];
}

/** Checks what pooling is given, and finds its windows. */
export function pooled(
  op: string,
  rank: number,
  x: Tensor,
  size: PerAxis,
  options: PoolOptions<string> & { dilation?: PerAxis },
): Pooled {
  checkTensors(op, [x]);
  checkDomain(op, x.dtype, "float");
  const batch = channelsLast(op, x, rank, options.layout);
  const { axes, sizes } = batch;
  const lengths = forEachAxis(op, "size", size, axes, 1);
  const stride = forEachAxis(op, "stride", options.stride ?? lengths, axes, 1);
  const dilation = forEachAxis(op, "dilation", options.dilation ?? 1, axes, 1);
  const own = sizes.map((input, i) => {
    return { input, size: lengths[i], stride: stride[i], dilation: dilation[i] };
  });
  const edges = edgesFor(op, options.padding ?? 0, own, axes);
  const all = own.map((one, i) => ({ ...one, before: edges[i][0], after: edges[i][1] }));
  if (typeof options.padding !== "string") checkHalf(op, all);
  checkWindows(op, all, x.shape, axes);
  const windowed = all.map((one) => ({
    ...one,
    output: outputsOf(one, options.ceilMode ?? false),
  }));
  return { ...batch, windowed };
}

/** Throws a `ShapeError` where more than half a window may lie outside. */
export function checkHalf(op: string, all: readonly Omit<Sliding, "input">[]): void {
  for (const { before, after, ...one } of all) {
    const most = Math.floor(spanOf(one) / 2);
    if (Math.max(before, after) <= most) continue;
    throw new ShapeError(
      `${op}: padding ${Math.max(before, after)} for a window of ${one.size}, dilation ` +
        `${one.dilation}; expected at most ${most}, half of it`,
    );
  }
}

/** Counts windows, with one that is left over; each begins within x, or what lies before it. */
function outputsOf(one: Sliding, isCeil: boolean): number {
  const count = countOf(one);
  if (!isCeil) return count;
  const { input, before, after, stride } = one;
  const rest = input + before + after - spanOf(one) - (count - 1) * stride;
  return rest > 0 && count * stride < input + before ? count + 1 : count;
}

/**
 * Views `[n, …sizes, channels]` through windows as `[n · …outputs · channels, elements]`, where what
 * lies outside is a value.
 */
export function windowRows(x: Tensor, all: readonly PooledAxis[], outside: number): Tensor {
  const rank = all.length;
  const isTiled = all.every(({ size, stride, dilation }) => dilation === 1 && size <= stride);
  const lengths = all.map((one) => {
    return isTiled ? one.output * one.stride : one.stride * (one.output - 1) + spanOf(one);
  });
  const placed = placedIn(x, all, lengths, outside);
  const view = isTiled
    ? tiledWindows(placed, all)
    : windows(
        placed,
        all.map(({ size }) => size),
        {
          axis: all.map((_, i) => i + 1),
          stride: all.map(({ stride }) => stride),
          dilation: all.map(({ dilation }) => dilation),
        },
      ); // [n, …outputs, channels, …sizes]
  const { shape } = view;
  return inShape(view, [sizeOf(shape.slice(0, rank + 2)), sizeOf(shape.slice(rank + 2))]);
}

/** Puts x behind what lies before it, on axes of such lengths. */
function placedIn(
  x: Tensor,
  all: readonly PooledAxis[],
  lengths: readonly number[],
  outside: number,
): Tensor {
  const [n] = x.shape;
  const channels = x.shape[all.length + 1];
  const ends = all.map(({ before, input }, i) => Math.min(input, lengths[i] - before));
  const isCut = all.some(({ input }, i) => ends[i] < input);
  const cut = isCut ? slice(x, [{}, ...ends.map((end) => ({ end }))]) : x;
  if (all.every(({ before }, i) => before === 0 && ends[i] === lengths[i])) return cut;
  const start = [0, ...all.map(({ before }) => before), 0];
  return embed(
    cut,
    [n, ...lengths, channels],
    start,
    start.map(() => 1),
    outside,
  );
}

/** Views windows that do not overlap: `[n, …outputs · strides, channels]` cut at each stride. */
function tiledWindows(x: Tensor, all: readonly PooledAxis[]): Tensor {
  const rank = all.length;
  const [n] = x.shape;
  const split = inShape(x, [
    n,
    ...all.flatMap(({ output, stride }) => [output, stride]),
    x.shape[rank + 1],
  ]);
  const isFull = all.every(({ size, stride }) => size === stride);
  const own = isFull
    ? split
    : slice(split, [{}, ...all.flatMap(({ size }) => [{}, { end: size }])]);
  const places = (offset: number) => all.map((_, i) => 1 + 2 * i + offset);
  return withAxes(own, [0, ...places(0), 1 + 2 * rank, ...places(1)]);
}

/** Gives what rows of `windowRows` became the axes of the batch. */
export function fromRows(y: Tensor, { x, windowed, restore }: Pooled): Tensor {
  const outputs = windowed.map(({ output }) => output);
  return restore(inShape(y, [x.shape[0], ...outputs, x.shape[windowed.length + 1]]));
}

/** The smallest number of a tensor's dtype, which is no maximum. */
export function leastOf({ dtype }: Tensor): number {
  return DTYPES[dtype].min;
}
