import { checkEach, describeValue, isInteger } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import {
  formatShape,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
} from "../core/shape.ts";
import { along, UNMOVED } from "../forms/map.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { type Axes, apply, checkArguments, checkTensors, type Tensor } from "../graph/tensor.ts";

interface ReshapeAttributes extends Record<string, unknown> {
  shape: Shape;
}

const reshapeOp: OpDefinition<ReshapeAttributes> = defineOp<ReshapeAttributes>({
  name: "reshape",
  infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
  cost: 0,
  linear: true,
  form: UNMOVED,
  passes: (_, [x], y) => (sameShape(x.shape, y.shape) ? 0 : null),
  vjp: (g, { inputs: [x] }) => [inShape(g, x.shape)],
});

/** Does what `reshape` does to a shape that is known to be of the same size; gives x where it is x's. */
export function inShape(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply(reshapeOp, [x], { shape });
}

/**
 * Gives the same elements, row-major, another shape; one axis may be -1 and is worked out.
 * @throws ShapeError when the sizes differ.
 */
export function reshape(x: Tensor, shape: Shape, ...surplus: never[]): Tensor {
  checkArguments("reshape(x, shape)", [x], surplus);
  checkEach("reshape", { shape }, Array.isArray, "an array of integers");
  const { size } = x;
  const target = [...shape];
  const free = shape.indexOf(-1);
  if (free >= 0) target[free] = -size / sizeOf(shape); // a product with -1 in it
  const valid = target.every((n) => isInteger(n, 0)) && sizeOf(target) === size;
  if (!valid) {
    throw new ShapeError(
      `reshape: shape ${formatShape(x.shape)} to ${formatShape(shape)}; expected ${x.size} ` +
        "elements, at most one axis -1",
    );
  }
  return apply(reshapeOp, [x], { shape: target });
}

/** Removes axes of size 1: those given, or all. */
export function squeeze(x: Tensor, axis?: number | readonly number[], ...surplus: never[]): Tensor {
  checkArguments("squeeze(x, axis)", [x], surplus);
  const axes =
    axis === undefined
      ? x.shape.map((_, i) => i).filter((i) => x.shape[i] === 1)
      : normalizeAxes("squeeze", axis, x.rank);
  const wrong = axes.find((a) => x.shape[a] !== 1);
  if (wrong !== undefined) {
    throw new ShapeError(
      `squeeze: axis ${wrong} of ${formatShape(x.shape)} has size ${x.shape[wrong]}; expected 1`,
    );
  }
  return reshape(
    x,
    x.shape.filter((_, i) => !axes.includes(i)),
  );
}

/** Inserts an axis of size 1 in front of an axis of the result. */
export function expandDims(x: Tensor, axis: number, ...surplus: never[]): Tensor {
  checkArguments("expandDims(x, axis)", [x], surplus);
  const at = normalizeAxis("expandDims", axis, x.rank + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

interface PermuteAttributes extends Record<string, unknown> {
  axes: readonly number[];
}

/** y[i₀, i₁, …] has axis k from x's axis axes[k]. */
const permuteOp: OpDefinition<PermuteAttributes> = defineOp<PermuteAttributes>({
  name: "permute",
  infer: ([x], { axes }) => ({ shape: axes.map((axis) => x.shape[axis]), dtype: x.dtype }),
  cost: 0,
  form: {
    kind: "map",
    maps: (_, { axes }) => [inverse(axes).map((axis) => along(axis))],
  },
  vjp: (g, { attributes: { axes } }) => [withAxes(g, inverse(axes))],
});

/** Rows for columns: the one other order of two axes. */
const SWAPPED: PermuteAttributes = { axes: [1, 0] };

/** Does what `permute` does to axes that are known to be all of x's; gives x where they stay. */
export function withAxes(x: Tensor, axes: readonly number[]): Tensor {
  if (axes.every((axis, i) => axis === i)) return x;
  return apply(permuteOp, [x], axes.length === 2 ? SWAPPED : { axes });
}

/** The order that takes axes back where they were. */
export function inverse(axes: readonly number[]): number[] {
  return axes.map((_, axis) => axes.indexOf(axis));
}

/** The axes in one array. */
function listed(axes: Axes): readonly number[] {
  const [first] = axes;
  return axes.length === 1 && typeof first === "object" ? first : (axes as readonly number[]);
}

/**
 * Reorders axes: axis k of the result is axis `axes[k]` of x. No elements are copied.
 * @param order each axis once, counted from the end when negative, one by one or in an array.
 * @example permute(images, 0, 2, 3, 1); // [n, channels, height, width] to channels last
 */
export function permute(x: Tensor, ...order: Axes): Tensor {
  checkTensors("permute", [x]);
  return reorder("permute", x, listed(order));
}

function reorder(op: string, x: Tensor, axes: readonly number[]): Tensor {
  checkEach(op, { axes }, Array.isArray, "an array of integers");
  const order = axes.map((axis) => normalizeAxis(op, axis, x.rank));
  if (order.length !== x.rank || new Set(order).size !== x.rank) {
    throw new ShapeError(
      `${op}: axes ${formatShape(axes)} of ${formatShape(x.shape)}; expected each axis once`,
    );
  }
  const y = withAxes(x, order);
  return y === x ? reshape(x, x.shape) : y;
}

/**
 * Swaps the last two axes, or the two that are given, or reorders all axes as `permute` does when an
 * array or more than two are given. No elements are copied.
 * @param axes counted from the end when negative.
 * @example transpose(x, 0, -1);
 */
export function transpose(x: Tensor, ...axes: Axes | readonly []): Tensor {
  checkTensors("transpose", [x]);
  const given = listed(axes);
  if (given !== axes || given.length > 2) return reorder("transpose", x, given);
  if (x.rank < 2) {
    throw new ShapeError(`transpose: shape ${formatShape(x.shape)}; expected at least two axes`);
  }
  if (given.length === 1) {
    throw new ShapeError(
      `transpose: axis ${describeValue(given[0])} alone; expected two axes to swap, or the order of all`,
    );
  }
  const [a, b] = [given[0] ?? -2, given[1] ?? -1].map((axis) =>
    normalizeAxis("transpose", axis, x.rank),
  );
  const order = x.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis));
  return reorder("transpose", x, order);
}
