import type { NumericArray } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
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

/** Flattens nested numbers or booleans, checking that every level has one length. */
export function unnest(op: string, nested: unknown): { values: Float64Array; shape: Shape } {
  const shape: number[] = [];
  for (let level = nested; Array.isArray(level); level = level[0]) shape.push(level.length);
  const values = new Float64Array(sizeOf(shape));
  let offset = 0;
  const fill = (item: unknown, axis: number): void => {
    if (axis < shape.length) {
      if (!Array.isArray(item) || item.length !== shape[axis]) {
        const found = Array.isArray(item) ? `an array of ${item.length}` : String(item);
        throw new ShapeError(
          `${op}: ${found} at depth ${axis}; expected arrays of ${shape[axis]} there, ` +
            `as in shape ${formatShape(shape)}`,
        );
      }
      for (const inner of item) fill(inner, axis + 1);
    } else if (typeof item === "number" || typeof item === "boolean") {
      values[offset++] = Number(item);
    } else {
      const found = Array.isArray(item) ? `an array of ${item.length}` : typeof item;
      throw new ShapeError(`${op}: ${found} at depth ${axis}; expected a number or boolean there`);
    }
  };
  fill(nested, 0);
  return { values, shape };
}
