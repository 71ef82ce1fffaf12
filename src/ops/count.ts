import type { ReduceOptions, Tensor } from "../graph/tensor.ts";
import { sumRows } from "./broadcast.ts";
import { cast } from "./cast.ts";
import { equal, logicalNot } from "./compare.ts";
import { reducedRows } from "./rows.ts";

/**
 * Counts the elements over axes, all when none is given, that are not 0, as i32; NaN is not 0.
 * @param options `axis` and `keepDims`.
 * @example await countNonZero(tensor([0, 3, -1])).item(); // 2
 */
export function countNonZero(x: Tensor, options: ReduceOptions = {}, ...surplus: never[]): Tensor {
  const { x: rows, restore } = reducedRows("countNonZero", x, options, surplus, "any");
  return restore(sumRows(cast(cast(rows, "bool"), "i32")));
}

/**
 * Says whether any element over axes, all when none is given, is true or not 0; false where there
 * are none. NaN is not 0.
 * @param options `axis` and `keepDims`.
 * @example await any(tensor([false, true])).item(); // true
 */
export function any(x: Tensor, options: ReduceOptions = {}, ...surplus: never[]): Tensor {
  const { x: rows, restore } = reducedRows("any", x, options, surplus, "any");
  return restore(cast(sumRows(cast(cast(rows, "bool"), "i32")), "bool"));
}

/**
 * Says whether all elements over axes, all when none is given, are true or not 0; true where there
 * are none. NaN is not 0.
 * @param options `axis` and `keepDims`.
 * @example await all(tensor([false, true])).item(); // false
 */
export function all(x: Tensor, options: ReduceOptions = {}, ...surplus: never[]): Tensor {
  const { x: rows, restore } = reducedRows("all", x, options, surplus, "any");
  return restore(equal(sumRows(cast(logicalNot(cast(rows, "bool")), "i32")), 0));
}
