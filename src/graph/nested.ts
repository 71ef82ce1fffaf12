import { numbersOf } from "../core/advice.ts";
import { describeValue } from "../core/check.ts";
import type { NumericArray } from "../core/dtype.ts";
import { DTypeError, type GradusError, ShapeError } from "../core/errors.ts";
import { formatShape, type Shape, sizeOf } from "../core/shape.ts";

/** Numbers nested as deep as a tensor's rank. */
export type NestedArray = number | NestedArray[];

/** Nests row-major values by a shape. */
export function nest(values: NumericArray, shape: Shape): NestedArray {
  let offset = 0;
  const build = (axis: number): NestedArray => {
    if (axis === shape.length) return values[offset++];
    return Array.from({ length: shape[axis] }, () => build(axis + 1));
  };
  return build(0);
}

/** More axes than any data has; nests that go on are cycles. */
const DEEPEST = 32;

/** Values of nested arrays, row-major. */
export interface Unnested {
  readonly values: Float64Array;
  readonly shape: Shape;
  readonly kind: "number" | "boolean";
}

/**
 * Flattens nested numbers or booleans.
 * @throws ShapeError unless every level has one length, DTypeError for other values and for both.
 */
export function unnest(op: string, nested: unknown): Unnested {
  const shape: number[] = [];
  let level = nested;
  for (; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > DEEPEST) {
      throw new ShapeError(`${op}: arrays nested deeper than ${DEEPEST}; expected fewer axes`);
    }
  }
  const kind = typeof level === "boolean" ? "boolean" : "number";
  const values = new Float64Array(sizeOf(shape));
  let offset = 0;
  const fill = (item: unknown, axis: number): void => {
    if (axis < shape.length) {
      if (!Array.isArray(item) || item.length !== shape[axis]) throw ragged(op, item, axis, shape);
      for (const inner of item) fill(inner, axis + 1);
    } else {
      if (typeof item !== kind) throw wrongItem(op, item, axis, kind);
      values[offset++] = Number(item);
    }
  };
  fill(nested, 0);
  return { values, shape, kind };
}

function ragged(op: string, item: unknown, axis: number, shape: Shape): ShapeError {
  const found = Array.isArray(item) ? `an array of ${item.length}` : describeValue(item);
  return new ShapeError(
    `${op}: ${found} at depth ${axis}; expected arrays of ${shape[axis]} there, ` +
      `as in shape ${formatShape(shape)}`,
  );
}

function wrongItem(op: string, item: unknown, axis: number, kind: string): GradusError {
  if (Array.isArray(item)) {
    const found = `an array of ${item.length} at depth ${axis}`;
    return new ShapeError(`${op}: ${found}; expected a ${kind} there, as before it`);
  }
  const known = typeof item === "number" || typeof item === "boolean";
  const rule = known ? `${kind}s only, as the first one is` : "numbers or booleans";
  const found = typeof item === "bigint" ? `bigint ${describeValue(item)}` : describeValue(item);
  return new DTypeError(`${op}: ${found} at depth ${axis}; expected ${rule}${numbersOf(item)}`);
}
