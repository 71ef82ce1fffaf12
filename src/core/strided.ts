import type { NumericArray } from "./dtype.ts";
import { type Shape, sizeOf, stridesOf } from "./shape.ts";

/** A view of elements in memory: element `[i, j, …]` is `data[offset + i·strides[0] + j·strides[1] + …]`. */
export interface Strided {
  readonly data: NumericArray;
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Views a whole array row-major. */
export function contiguous(data: NumericArray, shape: Shape): Strided {
  return { data, shape, strides: stridesOf(shape), offset: 0 };
}

/** Says whether a view's elements lie row-major without gaps. */
export function isContiguous(x: Strided): boolean {
  let stride = 1;
  for (let axis = x.shape.length - 1; axis >= 0; axis--) {
    if (x.shape[axis] !== 1 && x.strides[axis] !== stride) return false;
    stride *= x.shape[axis];
  }
  return true;
}

/** Writes `y[i] = f(x₀[i], x₁[i], …)` for every element, row-major. */
export function mapStrided(
  f: (...values: number[]) => number,
  shape: Shape,
  inputs: readonly Strided[],
  y: NumericArray,
): void {
  const size = sizeOf(shape);
  const index = new Array<number>(shape.length).fill(0);
  const at = inputs.map((x) => x.offset);
  const values = new Array<number>(inputs.length);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < inputs.length; j++) values[j] = inputs[j].data[at[j]];
    y[i] = f(...values);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]++;
      for (let j = 0; j < inputs.length; j++) at[j] += inputs[j].strides[axis];
      if (index[axis] < shape[axis]) break;
      for (let j = 0; j < inputs.length; j++) at[j] -= inputs[j].strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}
