import { checkOptions, describeValue, type Known } from "../core/check.ts";
import { convert } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, normalizeAxis, type Shape } from "../core/shape.ts";
import { inside } from "../forms/inside.ts";
import { along } from "../forms/map.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkArguments, type Tensor } from "../graph/tensor.ts";
import { expandDims } from "./reshape.ts";
import { AXIS, type AxisOptions } from "./rows.ts";
import { checkTensorList } from "./tensor-list.ts";

/** One axis of a slice: from `start` up to, not including, `end`, every `step`-th, as in NumPy. */
export interface Range {
  /** First index, counted from the end when negative; the first, or the last if step < 0. */
  start?: number;
  /** Index behind the last, counted from the end when negative; beyond all when left out. */
  end?: number;
  /** Distance, backwards when negative, not 0; 1 when left out. */
  step?: number;
}

const RANGE: Known<Range> = { start: "number", end: true, step: true };

interface SliceAttributes extends Record<string, unknown> {
  start: readonly number[];
  step: readonly number[];
  shape: Shape;
}

/** y[i, …] = x[start + step·i, …]. */
const sliceOp: OpDefinition<SliceAttributes> = defineOp<SliceAttributes>({
  name: "slice",
  infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
  cost: 0,
  form: {
    kind: "map",
    maps: (_, { start, step }) => [start.map((s, axis) => along(axis, s, step[axis]))],
  },
  vjp: (g, { inputs: [x], attributes: { start, step } }) => [embed(g, x.shape, start, step)],
});

/**
 * Takes part of each axis, without copying; axes not given stay whole. Ranges end where the axis
 * does, as in NumPy.
 * @throws ShapeError for more ranges than axes, numbers that are no integers and steps of 0.
 * @example slice(x, [{ start: 1, end: 3 }, { step: -1 }]);
 */
export function slice(x: Tensor, ranges: readonly Range[], ...surplus: never[]): Tensor {
  checkArguments("slice(x, [{ start, end, step }, …])", [x], surplus);
  if (!Array.isArray(ranges)) {
    throw new ShapeError(
      `slice: ranges ${describeValue(ranges)}; expected an array of { start, end, step }`,
    );
  }
  if (ranges.length > x.rank) {
    throw new ShapeError(
      `slice: ${ranges.length} ranges for ${formatShape(x.shape)}; expected at most ${x.rank}`,
    );
  }
  const bounds = x.shape.map((n, axis) => resolve(ranges[axis] ?? {}, n, axis));
  return apply(sliceOp, [x], {
    start: bounds.map(({ start }) => start),
    step: bounds.map(({ step }) => step),
    shape: bounds.map(({ size }) => size),
  });
}

function resolve(range: Range, n: number, axis: number) {
  checkOptions("slice", range, RANGE);
  const { start: first, end: last, step = 1 } = range;
  if (![first ?? 0, last ?? 0, step].every(Number.isInteger) || step === 0) {
    throw new ShapeError(
      `slice: start ${describeValue(first)}, end ${describeValue(last)}, step ${describeValue(step)} on axis ${axis}; expected integers, and ` +
        "a step that is not 0",
    );
  }
  // Where a walk may begin, and where it ends: one place behind the last, or before the first.
  const [low, high] = step > 0 ? [0, n] : [-1, n - 1];
  const place = (i: number) => Math.min(high, Math.max(low, i < 0 ? i + n : i));
  const start = first == null ? (step > 0 ? low : high) : place(first);
  const end = last == null ? (step > 0 ? high : low) : place(last);
  const size = Math.max(0, Math.ceil((end - start) / step));
  return { start: size > 0 ? start : 0, step, size };
}

interface EmbedAttributes extends SliceAttributes {
  value: number;
}

/** y = value everywhere but y[start + step·i, …] = x[i, …]: padding, and the adjoint of slice. */
const embedOp: OpDefinition<EmbedAttributes> = defineOp<EmbedAttributes>({
  name: "pad",
  infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
  form: {
    kind: "map",
    maps: (_, { start, step }) => [
      start.map((s, axis) => {
        const sign = Math.sign(step[axis]);
        return along(axis, -sign * s, sign, Math.abs(step[axis]));
      }),
    ],
    follow: inside,
    outside: ({ value }) => value,
  },
  vjp: (g, { inputs: [x], attributes: { start, step } }) => [
    apply(sliceOp, [g], { start, step, shape: x.shape }),
  ],
});

/** Puts x where `slice` with the same numbers would find it, and a value elsewhere. */
export function embed(
  x: Tensor,
  shape: Shape,
  start: readonly number[],
  step: readonly number[],
  value = 0,
): Tensor {
  return apply(embedOp, [x], { start, step, shape, value: convert(value, x.dtype) });
}

interface ConcatAttributes extends Record<string, unknown> {
  axis: number;
}

/** y = a, then b, along one axis. */
const concatOp: OpDefinition<ConcatAttributes> = defineOp<ConcatAttributes>({
  name: "concat",
  infer: ([a, b], { axis }) => ({
    shape: a.shape.map((n, i) => (i === axis ? n + b.shape[i] : n)),
    dtype: a.dtype,
  }),
  cost: 2,
  form: {
    kind: "map",
    maps: ([a], { axis }) => {
      const from = (start: number) => a.shape.map((_, i) => along(i, i === axis ? -start : 0));
      return [from(0), from(a.shape[axis])];
    },
    follow: inside,
  },
  vjp: (g, { inputs: [a, b], attributes: { axis } }) => {
    const part = (start: number, end: number) =>
      slice(g, [...new Array<Range>(axis).fill({}), { start, end }]);
    const n = a.shape[axis];
    return [part(0, n), part(n, n + b.shape[axis])];
  },
});

/** Joins tensors along an axis; their other sizes and dtypes must be equal. */
export function concat(
  tensors: readonly Tensor[],
  options: AxisOptions = {},
  ...surplus: never[]
): Tensor {
  checkTensorList("concat", tensors);
  checkOptions("concat", options, AXIS, surplus);
  const axis = normalizeAxis("concat", options.axis ?? 0, tensors[0].rank);
  for (const x of tensors) checkJoin(tensors[0], x, axis);
  // Halving keeps the depth, and so the cost of an element, at log₂ of the number of tensors.
  const join = (low: number, high: number): Tensor => {
    if (high - low === 1) return tensors[low];
    const middle = (low + high) >> 1;
    return apply(concatOp, [join(low, middle), join(middle, high)], { axis });
  };
  return tensors.length === 1 ? slice(tensors[0], []) : join(0, tensors.length);
}

function checkJoin(first: Tensor, x: Tensor, axis: number): void {
  const fits = x.rank === first.rank && x.shape.every((n, i) => i === axis || n === first.shape[i]);
  if (!fits || x.dtype !== first.dtype) {
    throw new ShapeError(
      `concat: ${x.dtype} ${formatShape(x.shape)} beside ${first.dtype} ` +
        `${formatShape(first.shape)} along axis ${axis}; expected one dtype and equal other axes`,
    );
  }
}

/** Joins tensors of one shape along a new axis. */
export function stack(
  tensors: readonly Tensor[],
  options: AxisOptions = {},
  ...surplus: never[]
): Tensor {
  checkTensorList("stack", tensors);
  checkOptions("stack", options, AXIS, surplus);
  const axis = normalizeAxis("stack", options.axis ?? 0, tensors[0].rank + 1);
  const widened = tensors.map((x) => expandDims(x, axis));
  return concat(widened, { axis });
}
