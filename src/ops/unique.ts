import type { DType, NumericArray } from "../core/dtype.ts";
import { elementsOf } from "../core/halves.ts";
import type { Shape } from "../core/shape.ts";
import { checkArguments, readAll, sourceTensor, type Tensor } from "../graph/tensor.ts";

/** The different elements of a tensor, and where they lie. */
export interface Unique {
  /** `[n]`: each once, in order. */
  readonly values: Tensor;
  /** In x's shape, as i32: which of the values each element is. */
  readonly indices: Tensor;
  /** `[n]`, as i32: how often each is there. */
  readonly counts: Tensor;
  /** `[n]`, as i32: where each lies first, in row-major order. */
  readonly first: Tensor;
}

/** Sorts numbers and leaves each once: 0 for −0 too, NaN last. */
function sortedOnce(values: NumericArray): NumericArray {
  const sorted = values.slice().sort();
  let n = 0;
  for (const x of sorted) {
    const isNew =
      n === 0 || !(x === sorted[n - 1] || (Number.isNaN(x) && Number.isNaN(sorted[n - 1])));
    if (isNew) sorted[n++] = x + 0;
  }
  return sorted.slice(0, n);
}

/** Where a number lies among sorted ones, of which it is one. */
function placeOf(x: number, sorted: NumericArray): number {
  let low = 0;
  for (let high = sorted.length - 1; low < high; ) {
    const middle = (low + high) >> 1;
    // NaN is less than nothing, and its place is the last.
    if (x <= sorted[middle]) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Reads a tensor and finds its different elements, sorted, as NumPy's `unique` does: 0 and −0 are one
 * element, and so are all NaN, which come last. What it gives are new tensors on x's device, without
 * gradients: their sizes are known only once x is.
 * @param x of any shape and dtype; its elements count as one list.
 * @returns `values`, sorted; `indices`, of which value each element is, in x's shape; `counts` of each
 * value; `first`, where it lies first in row-major order.
 * @throws GradusError in a function that is being compiled, which may read nothing.
 * @example
 * const { values, indices, counts } = await unique(tensor([3, 1, 3]));
 * await values.toArray(); // [1, 3]
 * await indices.toArray(); // [1, 0, 1]
 * await counts.toArray(); // [1, 2]
 */
export async function unique(x: Tensor, ...surplus: never[]): Promise<Unique> {
  checkArguments("unique(x)", [x], surplus);
  const { device, shape, dtype } = x;
  const [given] = await readAll("unique", [x]);
  const values = sortedOnce(given);
  const [counts, first] = [new Int32Array(values.length), new Int32Array(values.length)];
  const indices = new Int32Array(given.length);
  for (let i = given.length - 1; i >= 0; i--) {
    const k = placeOf(given[i], values);
    indices[i] = k;
    counts[k]++;
    first[k] = i;
  }
  const made = (of: NumericArray, own: Shape = [of.length], type: DType = "i32") =>
    sourceTensor(device, own, type, of);
  return {
    values: made(elementsOf(values, dtype), undefined, dtype),
    indices: made(indices, shape),
    counts: made(counts),
    first: made(first),
  };
}
