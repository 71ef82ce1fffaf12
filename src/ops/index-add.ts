import { checkEach, checkOptions, isInteger } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { checkShape, formatShape, normalizeAxis, sameShape, sizeOf } from "../core/shape.ts";
import { checkArguments, checkTensors, type Tensor } from "../graph/tensor.ts";
import { add } from "./arithmetic.ts";
import { moveAxis } from "./axes.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { checkedPlaces, sumRowsAt } from "./gather.ts";
import { reshape } from "./reshape.ts";
import { AXIS, type AxisOptions } from "./rows.ts";

/** Checks indices, and under `debug` that each is below n, and makes them i32. */
function indexOf(op: string, name: string, indices: Tensor, n: number): Tensor {
  expectDType(`${op}: ${name} have dtype`, indices.dtype, "index");
  if (indices.rank !== 1) {
    throw new ShapeError(`${op}: ${name} ${formatShape(indices.shape)}; expected [n]`);
  }
  return checkedPlaces(op, indices, n);
}

/**
 * Adds slices to those along an axis, the first when left out, that indices name, as PyTorch's
 * `index_add` does: y = x, and to y[indices[j]] is added values[j], in the order of j. It is what
 * gives `gather` its gradient.
 * @param indices i32 or u32 `[count]`. Those outside `[0, n)` name nothing; under `debug` they are
 * an error.
 * @param values x's dtype and shape, but with `count` on the axis.
 * @throws ShapeError or DTypeError for others.
 * @example
 * const rows = tensor([1, 1], { dtype: "i32" });
 * await indexAdd(zeros([2, 2]), rows, tensor([[1, 2], [3, 4]])).toArray(); // [[0, 0], [4, 6]]
 */
export function indexAdd(
  x: Tensor,
  indices: Tensor,
  values: Tensor,
  options: AxisOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("indexAdd", options, AXIS, surplus);
  checkTensors("indexAdd", [x, indices, values]);
  checkDomain("indexAdd", x.dtype, "number");
  checkSameDType("indexAdd", x, values);
  const axis = normalizeAxis("indexAdd", options.axis ?? 0, x.rank);
  const n = x.shape[axis];
  const index = indexOf("indexAdd", "indices", indices, n);
  const wanted = x.shape.map((size, i) => (i === axis ? index.size : size));
  if (!sameShape(values.shape, wanted)) {
    throw new ShapeError(
      `indexAdd: values ${formatShape(values.shape)} for ${index.size} indices on axis ${axis} of ` +
        `${formatShape(x.shape)}; expected ${formatShape(wanted)}`,
    );
  }
  const moved = moveAxis(values, axis, 0);
  const rest = moved.shape.slice(1);
  const sums = sumRowsAt(index, reshape(moved, [index.size, sizeOf(rest)]), n);
  return add(x, moveAxis(reshape(sums, [n, ...rest]), 0, axis));
}

/**
 * Adds the slices of x, `[n, …]`, that belong to one segment: y[s] = Σ x[j] over j with segments[j]
 * = s, in the order of j, as TensorFlow's `unsorted_segment_sum` does; zeros where there are none.
 * @param segments i32 or u32 `[n]`, in any order. Slices of segments outside `[0, count)` are left
 * out; under `debug` they are an error.
 * @param count of segments, from 0.
 * @returns `[count, …]`.
 * @throws ShapeError or DTypeError for others.
 * @example
 * const segments = tensor([0, 1, 0], { dtype: "i32" });
 * await segmentSum(tensor([1, 2, 3]), segments, 2).toArray(); // [4, 2]
 */
export function segmentSum(
  x: Tensor,
  segments: Tensor,
  count: number,
  ...surplus: never[]
): Tensor {
  checkArguments("segmentSum(x, segments, count)", [x, segments], surplus);
  checkDomain("segmentSum", x.dtype, "number");
  checkEach("segmentSum", { count }, (n) => isInteger(n, 0), "an integer from 0", ShapeError);
  const index = indexOf("segmentSum", "segments", segments, count);
  if (x.rank === 0 || x.shape[0] !== index.size) {
    throw new ShapeError(
      `segmentSum: x ${formatShape(x.shape)} for ${index.size} segments; expected [${index.size}, …]`,
    );
  }
  const rest = x.shape.slice(1);
  const shape = checkShape("segmentSum", [count, ...rest]);
  return reshape(sumRowsAt(index, reshape(x, [index.size, sizeOf(rest)]), count), shape);
}
