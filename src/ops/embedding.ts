import { checkEach, checkOptions, isInteger, type Known } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { customGrad } from "../graph/custom-grad.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { equal } from "./compare.ts";
import { checkedPlaces, gatherRows, sumRowsAt } from "./gather.ts";
import { reshape } from "./reshape.ts";
import { rowGradient } from "./row-gradient.ts";
import { where } from "./where.ts";

/** What lookups are told. */
export interface LookupOptions {
  /** An id whose row gets no gradient, counted from the end when negative; none when left out. */
  paddingIndex?: number;
  /**
   * Whether optimizers change the rows that were looked up only, as they can without making the whole
   * gradient: `SGD` does so without momentum and weight decay, and `Adam` without weight decay and
   * amsgrad, whose means of other rows stay as they are, as those of `torch.optim.SparseAdam` do.
   * False when left out. Where the tensor is used otherwise too, its gradient is a whole one.
   */
  sparse?: boolean;
}

/** The names of `LookupOptions`, for checks. */
export const LOOKUP: Known<LookupOptions> = { paddingIndex: true, sparse: "boolean" };

/** The row that padding names, if there is one; throws a `ShapeError` where it is none of `rows`. */
export function paddingRow(op: string, rows: number, paddingIndex?: number): number | null {
  if (paddingIndex === undefined) return null;
  const holds = (x: unknown) => isInteger(x, -rows, rows - 1);
  checkEach(op, { paddingIndex }, holds, `an integer in [${-rows}, ${rows - 1}]`, ShapeError);
  return paddingIndex < 0 ? paddingIndex + rows : paddingIndex;
}

/**
 * Looks up rows of a table by integer ids of any shape, as PyTorch's `functional.embedding` does:
 * y[…] = weight[ids[…]].
 * @param weight `[rows, columns]`.
 * @param ids i32 or u32. Those outside `[0, rows)` give NaN (0 for dtypes without NaN) and no
 * gradient; under `debug` they are an error.
 * @returns the ids' shape and `columns`.
 * @throws ShapeError or DTypeError for others.
 * @example
 * const table = tensor([[1, 2], [3, 4], [5, 6]]);
 * await embedding(table, tensor([2, 0], { dtype: "i32" })).toArray(); // [[5, 6], [1, 2]]
 */
export function embedding(
  weight: Tensor,
  ids: Tensor,
  options: LookupOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("embedding", options, LOOKUP, surplus);
  checkTensors("embedding", [weight, ids]);
  expectDType("embedding: ids have dtype", ids.dtype, "index");
  if (weight.rank !== 2) {
    throw new ShapeError(
      `embedding: weight ${formatShape(weight.shape)}; expected [rows, columns]`,
    );
  }
  const [rows, columns] = weight.shape;
  const padding = paddingRow("embedding", rows, options.paddingIndex);
  const index = reshape(checkedPlaces("embedding", ids, rows), [ids.size]);
  const lookUp = customGrad(
    (table: Tensor) => gatherRows(table, index),
    (g) => {
      const named = padding === null ? index : where(equal(index, padding), -1, index);
      return [options.sparse ? rowGradient(named, g, rows) : sumRowsAt(named, g, rows)];
    },
  );
  return reshape(lookUp(weight), [...ids.shape, columns]);
}
