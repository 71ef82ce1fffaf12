import { describeValue, isInteger } from "./check.ts";
import { ShapeError } from "./errors.ts";
import { list } from "./quote.ts";

/** Sizes of a tensor's axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** Writes a shape as messages show it: `[100, 784]`. */
export function formatShape(shape: Shape): string {
  return `[${list(shape)}]`;
}

/** Counts the elements of a shape: 1 for a scalar, 0 if any axis is empty. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) {
    if (n === 0) return 0; // however large the others are
    size *= n;
  }
  return size;
}

/** Gives row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** Says whether two shapes, or other lists of integers, are the same. */
export function sameShape(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** Checks that a shape is an array of non-negative integers and returns a copy. */
export function checkShape(op: string, shape: Shape): Shape {
  if (!Array.isArray(shape) || !shape.every((n) => isInteger(n, 0))) {
    throw new ShapeError(
      `${op}: shape ${describe(shape)}; expected an array of non-negative integers`,
    );
  }
  if (!Number.isSafeInteger(sizeOf(shape)) || sizeOf(shape) > 2 ** 32 - 1) {
    throw new ShapeError(`${op}: shape ${formatShape(shape)}; expected fewer than 2^32 elements`);
  }
  return [...shape];
}

function describe(shape: unknown): string {
  return Array.isArray(shape) ? `[${list(shape.map(describeSize))}]` : describeValue(shape);
}

function describeSize(size: unknown): string {
  return typeof size === "number" ? `${size}` : describeValue(size);
}

/** Combines shapes by the broadcasting rule of NumPy and the array API. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const m = a[a.length - i] ?? 1;
    const n = b[b.length - i] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new ShapeError(
        `${op}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast (${m} vs ${n}); ` +
          "expected equal sizes or 1 on each axis, counted from the last",
      );
    }
    shape[rank - i] = m === 1 ? n : m;
  }
  return shape;
}

/** Turns an axis, counted from the end when negative, into one in `[0, rank)`. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ShapeError(
      `${op}: axis ${describeValue(axis)}; expected an integer in [${-rank}, ${rank - 1}] for rank ${rank}`,
    );
  }
  return axis < 0 ? axis + rank : axis;
}

/** Normalizes one axis, several, or none given (all), ascending and without repeats. */
export function normalizeAxes(
  op: string,
  axis: number | readonly number[] | undefined,
  rank: number,
): number[] {
  if (axis === undefined) return Array.from({ length: rank }, (_, i) => i);
  const axes = (Array.isArray(axis) ? axis : [axis]).map((a) => normalizeAxis(op, a, rank));
  if (new Set(axes).size !== axes.length) {
    throw new ShapeError(`${op}: axes ${formatShape(axes)} repeat; expected each axis once`);
  }
  return axes.sort((a, b) => a - b);
}
