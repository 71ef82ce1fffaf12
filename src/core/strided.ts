import type { NumericArray } from "./dtype.ts";
import { type Shape, stridesOf } from "./shape.ts";

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
