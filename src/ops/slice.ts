import { checkNumbers, checkOptions, describeValue, type Known } from "../core/check.ts";
import { convert } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { formatShape, normalizeAxis, type Shape } from "../core/shape.ts";
import type { Strided } from "../core/strided.ts";
import { writeStrided } from "../core/strided-loops.ts";
import { number } from "../forms/number.ts";
import { Position, plus, times } from "../forms/position.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkArguments, checkTensors, Tensor } from "../graph/tensor.ts";
import { expandDims } from "./reshape.ts";
import { AXIS, type AxisOptions } from "./rows.ts";

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
  view: (x, { start, step, shape }) => sliceView(x, start, step, shape),
  cost: 0,
  form: {
    kind: "pointwise",
    element: ({ at, load, inputs: [x], attributes: { start, step } }) => {
      const coordinates = at.coordinates.map((c, axis) =>
        step[axis] > 0
          ? plus(times(c, step[axis]), number(start[axis]))
          : `(${number(start[axis])} - ${times(c, -step[axis])})`,
      );
      return load(0, Position.at(at.body, x.shape, coordinates));
    },
  },
  vjp: (g, { inputs: [x], attributes: { start, step } }) => [embed(g, x.shape, start, step)],
});

function sliceView(
  x: Strided,
  start: readonly number[],
  step: readonly number[],
  shape: Shape,
): Strided {
  const offset = start.reduce((sum, s, axis) => sum + s * x.strides[axis], x.offset);
  return { data: x.data, shape, strides: x.strides.map((s, axis) => s * step[axis]), offset };
}

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
  cpu: (y, [x], { start, step, value }) => {
    y.data.fill(value);
    writeStrided(x, sliceView(y, start, step, x.shape));
  },
  form: {
    kind: "pointwise",
    element: ({ at, load, inputs: [x], attributes: { start, step, value } }) => {
      const { body } = at;
      const tests: string[] = [];
      const coordinates = x.shape.map((n, axis) => {
        const [c, s, d] = [at.coordinates[axis], start[axis], Math.abs(step[axis])];
        if (s === 0 && step[axis] === 1 && n === at.shape[axis]) return c;
        if (n === 0) return "0u";
        // How far behind the start; wraps before it, and is too large then.
        const first = number(s);
        const [p, q] = step[axis] > 0 ? [c, first] : [first, c];
        const from = q === "0u" ? p : body.bind(`${p} - ${q}`);
        tests.push(`${from} < ${(n - 1) * d + 1}u`);
        if (d > 1) tests.push(`${from} % ${d}u == 0u`);
        const index = d > 1 ? body.bind(`${from} / ${d}u`) : from;
        return body.bind(`min(${index}, ${n - 1}u)`);
      });
      const outside = number(value, x.dtype);
      if (x.shape.includes(0)) return outside;
      const inside = load(0, Position.at(body, x.shape, coordinates));
      return tests.length === 0
        ? inside
        : `select(${outside}, ${inside}, ${tests.map((t) => `(${t})`).join(" & ")})`;
    },
  },
  vjp: (g, { inputs: [x], attributes: { start, step } }) => [
    apply(sliceOp, [g], { start, step, shape: x.shape }),
  ],
});

function embed(
  x: Tensor,
  shape: Shape,
  start: readonly number[],
  step: readonly number[],
  value = 0,
): Tensor {
  return apply(embedOp, [x], { start, step, shape, value: convert(value, x.dtype) });
}

/**
 * Surrounds a tensor with a value: `padding[axis]` gives how many elements come before and after.
 */
export function pad(
  x: Tensor,
  padding: readonly (readonly [number, number])[],
  value = 0,
  ...surplus: never[]
): Tensor {
  checkArguments("pad(x, [[before, after], …], value)", [x], surplus);
  const valid =
    Array.isArray(padding) &&
    padding.length === x.rank &&
    padding.every((pair) => Array.isArray(pair) && pair.length === 2) &&
    padding.flat().every((n) => Number.isInteger(n) && n >= 0);
  if (!valid) {
    throw new ShapeError(
      `pad: padding ${quote(padding)} for ${formatShape(x.shape)}; expected one pair of ` +
        "non-negative integers for each axis",
    );
  }
  checkNumbers("pad", { value });
  const shape = x.shape.map((n, axis) => n + padding[axis][0] + padding[axis][1]);
  const start = padding.map(([before]) => before);
  return embed(x, shape, start, new Array(x.rank).fill(1), value);
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
  cpu: (y, [a, b], { axis }) => {
    const zeros = y.shape.map(() => 0);
    const ones = y.shape.map(() => 1);
    writeStrided(a, sliceView(y, zeros, ones, a.shape));
    const behind = zeros.map((_, i) => (i === axis ? a.shape[axis] : 0));
    writeStrided(b, sliceView(y, behind, ones, b.shape));
  },
  cost: 2,
  form: {
    kind: "pointwise",
    element: ({ at, load, inputs: [a, b], attributes: { axis } }) => {
      const n = a.shape[axis];
      const c = at.coordinates[axis];
      const move = (coordinate: string) =>
        at.coordinates.map((o, i) => (i === axis ? coordinate : o));
      if (n === 0) return load(1, Position.at(at.body, b.shape, move(c)));
      if (b.shape[axis] === 0) return load(0, Position.at(at.body, a.shape, move(c)));
      const first = at.body.bind(`min(${c}, ${n - 1}u)`);
      const second = at.body.bind(`max(${c}, ${n}u) - ${n}u`);
      const fromA = load(0, Position.at(at.body, a.shape, move(first)));
      const fromB = load(1, Position.at(at.body, b.shape, move(second)));
      return `select(${fromB}, ${fromA}, ${c} < ${n}u)`;
    },
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
  checkList("concat", tensors);
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

function checkList(op: string, tensors: readonly Tensor[]): void {
  if (Array.isArray(tensors) && tensors.length > 0) {
    checkTensors(op, tensors);
    return;
  }
  const given = Array.isArray(tensors) ? "no tensors" : describeValue(tensors);
  const advice = (tensors as unknown) instanceof Tensor ? `. Did you mean ${op}([a, b])?` : "";
  throw new ShapeError(`${op}: ${given}; expected an array of at least one tensor${advice}`);
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
  checkList("stack", tensors);
  checkOptions("stack", options, AXIS, surplus);
  const axis = normalizeAxis("stack", options.axis ?? 0, tensors[0].rank + 1);
  const widened = tensors.map((x) => expandDims(x, axis));
  return concat(widened, { axis });
}
