import { ShapeError } from "../core/errors.ts";
import {
  formatShape,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
} from "../core/shape.ts";
import { isContiguous, type Strided } from "../core/strided.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { Position } from "../graph/position.ts";
import { apply, type Tensor } from "../graph/tensor.ts";

interface ReshapeAttributes extends Record<string, unknown> {
  shape: Shape;
}

const reshapeOp: OpDefinition<ReshapeAttributes> = defineOp<ReshapeAttributes>({
  name: "reshape",
  infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
  view: (x, { shape }) => reshapeView(x, shape),
  gpu: {
    kind: "pointwise",
    cost: 0,
    linear: true,
    element: ({ at, load, inputs: [x] }) => load(0, at.reshape(x.shape)),
  },
  passes: (_, [x], y) => (sameShape(x.shape, y.shape) ? 0 : null),
  vjp: (g, { inputs: [x] }) => [reshape(g, x.shape)],
});

/** Views elements in another shape, or gives null where strides cannot say it. */
function reshapeView(x: Strided, shape: Shape): Strided | null {
  const { data, offset } = x;
  if (isContiguous(x)) return { data, shape, strides: stridesOf(shape), offset };
  const kept = x.shape
    .map((n, axis) => ({ n, stride: x.strides[axis] }))
    .filter(({ n }) => n !== 1);
  const wanted = shape.filter((n) => n !== 1);
  if (kept.length !== wanted.length || kept.some(({ n }, i) => n !== wanted[i])) return null;
  let next = 0;
  const strides = shape.map((n) => (n === 1 ? 0 : kept[next++].stride));
  return { data, shape, strides, offset };
}

/**
 * Gives the same elements, row-major, another shape; one axis may be -1 and is worked out.
 * @throws ShapeError when the sizes differ.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = shape.filter((n) => n !== -1);
  const free = shape.length - known.length;
  const rest = x.size / sizeOf(known);
  const target = shape.map((n) => (n === -1 ? rest : n));
  const valid =
    free <= 1 &&
    target.every((n) => Number.isSafeInteger(n) && n >= 0) &&
    sizeOf(target) === x.size;
  if (!valid) {
    throw new ShapeError(
      `reshape: shape ${formatShape(x.shape)} to ${formatShape(shape)}; expected ${x.size} ` +
        "elements, at most one axis -1",
    );
  }
  return apply(reshapeOp, [x], { shape: target });
}

/** Removes axes of size 1: those given, or all. */
export function squeeze(x: Tensor, axis?: number | readonly number[]): Tensor {
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
export function expandDims(x: Tensor, axis: number): Tensor {
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
  view: (x, { axes }, { shape }) => ({
    data: x.data,
    shape,
    strides: axes.map((axis) => x.strides[axis]),
    offset: x.offset,
  }),
  gpu: {
    kind: "pointwise",
    cost: 0,
    linear: false,
    element: ({ at, load, inputs: [x], attributes: { axes } }) => {
      const coordinates = x.shape.map((_, axis) => at.coordinates[axes.indexOf(axis)]);
      return load(0, Position.at(at.body, x.shape, coordinates));
    },
  },
  vjp: (g, { attributes: { axes } }) => [permute(g, inverse(axes))],
});

function inverse(axes: readonly number[]): number[] {
  return axes.map((_, axis) => axes.indexOf(axis));
}

/** Reorders axes: axis k of the result is axis `axes[k]` of x. No elements are copied. */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  const order = axes.map((axis) => normalizeAxis("permute", axis, x.rank));
  if (order.length !== x.rank || new Set(order).size !== x.rank) {
    throw new ShapeError(
      `permute: axes ${formatShape(axes)} of ${formatShape(x.shape)}; expected each axis once`,
    );
  }
  if (sameShape(order, [...order.keys()])) return reshape(x, x.shape);
  return apply(permuteOp, [x], { axes: order });
}

/** Swaps the last two axes, or reorders all as `permute` does. No elements are copied. */
export function transpose(x: Tensor, axes?: readonly number[]): Tensor {
  if (axes) return permute(x, axes);
  if (x.rank < 2) {
    throw new ShapeError(`transpose: shape ${formatShape(x.shape)}; expected at least two axes`);
  }
  const order = x.shape.map((_, axis) => axis);
  return permute(x, [...order.slice(0, -2), x.rank - 1, x.rank - 2]);
}
