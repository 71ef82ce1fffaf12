import { checkEach, checkOptions, isInteger, type Known } from "../core/check.ts";
import { is } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { normalizeAxis, sizeOf } from "../core/shape.ts";
import { rare } from "../forms/rare.ts";
import { jointly } from "../graph/jointly.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, applyAll, checkTensors, type Tensor } from "../graph/tensor.ts";
import { isFew } from "../kernels/choose.ts";
import { sortedRows } from "../kernels/sort-runs.ts";
import { cast } from "./cast.ts";
import { checkDomain } from "./domain.ts";
import { squeeze } from "./reshape.ts";
import { AXIS, type AxisOptions, asRows } from "./rows.ts";
import { slice } from "./slice.ts";
import { keyFunction, runsToSort, sortRows } from "./sort-runs.ts";
import { placeRowsOp } from "./take-rows.ts";

/** Elements of a row and where they lay: both have the shape of x, with what is left of the axis. */
export interface Sorted {
  readonly values: Tensor;
  /** Places along the axis, as i32. */
  readonly indices: Tensor;
}

/** Options of `sort` and `argsort`. */
export interface SortOptions extends AxisOptions {
  /** Whether the largest come first; false when left out. */
  descending?: boolean;
}

/** Options of `topK`. */
export interface TopKOptions extends AxisOptions {
  /** Whether the largest are wanted, or the smallest; true when left out. */
  largest?: boolean;
  /** Whether they are wanted in order; true when left out. With false, their order is left open. */
  sorted?: boolean;
}

/** Options of `kthValue`. */
export interface KthOptions extends AxisOptions {
  /** Whether the axis stays with size 1; false when left out. */
  keepDims?: boolean;
}

const SORT: Known<SortOptions> = { ...AXIS, descending: "boolean" };
const KTH: Known<KthOptions> = { ...AXIS, keepDims: "boolean" };
const TOP: Known<TopKOptions> = { ...AXIS, largest: "boolean", sorted: "boolean" };

interface SortAttributes extends Record<string, unknown> {
  /** How many elements of each row are kept. */
  keep: number;
  descending: boolean;
}

/** y[row] = the first elements of the row in order, z[row] = where they lie. */
const sortOp: OpDefinition<SortAttributes> = /* @__PURE__ */ rare(
  defineOp<SortAttributes>({
    name: "sort",
    infer: ([{ shape, dtype }], { keep }) => {
      const kept = [shape[0], keep];
      return [
        { shape: kept, dtype },
        { shape: kept, dtype: "i32" },
      ];
    },
    flops: ([{ shape }]) => sizeOf(shape) * Math.ceil(Math.log2(Math.max(2, shape[1]))),
    cpuAll: ([values, indices], [x], { keep, descending }) =>
      sortRows([values, indices], [x], { run: x.shape[1], keep, descending }),
    form: {
      kind: "kernel",
      batching: "rows",
      family: sortedRows,
      problem: ({ inputs: [{ shape, dtype }], attributes: { keep } }) => {
        const [ROWS, LENGTH] = shape;
        return { dtype, ROWS, LENGTH, RUN: LENGTH, KEEP: keep };
      },
      functions: keyFunction,
    },
    lower: ([x], attributes, traits) => runsToSort(x, attributes, traits),
    vjp: null,
    vjpAll: jointly(([g], { inputs: [x], results: [, indices] }) => [
      g && apply(placeRowsOp, [indices, g], { length: x.shape[1] }),
    ]),
  }),
);

/** Sorts along an axis and keeps the first elements, all where `keep` is null. */
function sorted(
  op: string,
  x: Tensor,
  axis: number,
  keep: number | null,
  descending: boolean,
): Sorted {
  const { x: rows, length, restoreAll } = asRows(op, x, { axis: normalizeAxis(op, axis, x.rank) });
  const isBool = is(x.dtype, "bool");
  const numbers = isBool ? cast(rows, "u32") : rows;
  const [found, indices] = applyAll(sortOp, [numbers], { keep: keep ?? length, descending });
  const values = isBool ? cast(found, "bool") : found;
  return { values: restoreAll(values), indices: restoreAll(indices) };
}

/** Throws unless an op that sorts can take what it is given. */
function checkSortable(op: string, x: Tensor): void {
  checkTensors(op, [x]);
  checkDomain(op, x.dtype, "any");
}

/**
 * Sorts along an axis, the last when left out, and tells where the elements lay. Equal ones stay in
 * their order, 0 and −0 among them; NaN comes last, also when the largest come first. The gradient of
 * the values goes back to where they lay.
 * @throws ShapeError for an axis that is not there.
 * @example
 * const { values, indices } = sort(tensor([3, 1, 2]));
 * await values.toArray(); // [1, 2, 3]
 * await indices.toArray(); // [1, 2, 0]
 */
export function sort(x: Tensor, options: SortOptions = {}, ...surplus: never[]): Sorted {
  checkOptions("sort", options, SORT, surplus);
  checkSortable("sort", x);
  return sorted("sort", x, options.axis ?? -1, null, options.descending ?? false);
}

/**
 * Tells in which order the elements along an axis, the last when left out, are sorted, as i32. See
 * `sort`.
 * @example await argsort(tensor([3, 1, 2]), { descending: true }).toArray(); // [0, 2, 1]
 */
export function argsort(x: Tensor, options: SortOptions = {}, ...surplus: never[]): Tensor {
  checkOptions("argsort", options, SORT, surplus);
  checkSortable("argsort", x);
  return sorted("argsort", x, options.axis ?? -1, null, options.descending ?? false).indices;
}

/**
 * Finds the k largest elements along an axis, the last when left out, the largest first, and where
 * they lie; of equal ones the first. NaN counts as smaller than all others, and as larger where the
 * smallest are wanted. The gradient of the values goes back to where they lay.
 * @param k from 0 to the size of the axis.
 * @throws ShapeError for another k and an axis that is not there.
 * @example
 * const { values, indices } = topK(tensor([3, 1, 4, 2]), 2);
 * await values.toArray(); // [4, 3]
 * await indices.toArray(); // [2, 0]
 */
export function topK(x: Tensor, k: number, options: TopKOptions = {}, ...surplus: never[]): Sorted {
  checkOptions("topK", options, TOP, surplus);
  checkSortable("topK", x);
  const { axis = -1, largest = true } = options;
  const own = normalizeAxis("topK", axis, x.rank);
  const n = x.shape[own];
  const expected = `an integer in [0, ${n}], the size of axis ${own}`;
  checkEach("topK", { k }, (value) => isInteger(value, 0, n), expected, ShapeError);
  const isPart = isFew(k, n);
  const { values, indices } = sorted("topK", x, own, isPart ? k : null, largest);
  if (isPart) return { values, indices };
  const ranges = x.shape.map((_, i) => (i === own ? { end: k } : {}));
  return { values: slice(values, ranges), indices: slice(indices, ranges) };
}

/**
 * Finds the k-th smallest element along an axis, the last when left out, and where it lies, as
 * PyTorch's `kthvalue` does; of equal ones the first come first, and NaN comes last. The gradient of
 * the value goes back to where it lay.
 * @param k from 1 to the size of the axis.
 * @throws ShapeError for another k and an axis that is not there.
 * @example
 * const { values, indices } = kthValue(tensor([3, 1, 4, 2]), 2);
 * await values.item(); // 2
 * await indices.item(); // 3
 */
export function kthValue(
  x: Tensor,
  k: number,
  options: KthOptions = {},
  ...surplus: never[]
): Sorted {
  checkOptions("kthValue", options, KTH, surplus);
  checkSortable("kthValue", x);
  const axis = normalizeAxis("kthValue", options.axis ?? -1, x.rank);
  const n = x.shape[axis];
  const expected = `an integer in [1, ${n}], the size of axis ${axis}`;
  checkEach("kthValue", { k }, (value) => isInteger(value, 1, n), expected, ShapeError);
  const found = sorted("kthValue", x, axis, isFew(k, n) ? k : null, false);
  const ranges = x.shape.map((_, i) => (i === axis ? { start: k - 1, end: k } : {}));
  const part = (y: Tensor) => {
    const kept = slice(y, ranges);
    return options.keepDims ? kept : squeeze(kept, axis);
  };
  return { values: part(found.values), indices: part(found.indices) };
}
