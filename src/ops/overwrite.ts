import { customGrad } from "../graph/custom-grad.ts";
import type { Tensor } from "../graph/tensor.ts";
import { sub } from "./arithmetic.ts";
import { equal, greaterEqual, logicalAnd } from "./compare.ts";
import { iota } from "./creation.ts";
import { gatherRows } from "./gather.ts";
import { expandDims, reshape } from "./reshape.ts";
import { placesAmong } from "./search-sorted.ts";
import { sort } from "./sort.ts";
import { where } from "./where.ts";

/** The last place j with index[j] = r for each of `rows` rows r, or -1: index is i32 `[count]`. */
function lastPlaces(index: Tensor, rows: number): Tensor {
  const { values, indices } = sort(index); // equal ones stay in order
  const own = iota(rows, "i32", index.device);
  const last = sub(placesAmong(values, own, "right"), 1);
  const [row, place] = [values, indices].map((x) => elementsAt(x, last));
  return where(logicalAnd(equal(row, own), greaterEqual(last, 0)), place, -1);
}

/** x[index] of vectors, and 0 where there is no such place. */
function elementsAt(x: Tensor, index: Tensor): Tensor {
  return reshape(gatherRows(expandDims(x, 1), index, true), [index.size]);
}

/**
 * Puts rows of values, `[count, columns]`, in the place of those of x, `[rows, columns]`, that i32
 * `[count]` names, or of none; of several for one row the last stays. Gradients pass what is put to
 * the rows that stayed, and what is not replaced to x.
 */
export function overwriteRows(x: Tensor, index: Tensor, values: Tensor): Tensor {
  const [rows] = x.shape;
  const from = lastPlaces(index, rows);
  const isKept = expandDims(equal(from, -1), 1);
  const put = customGrad(
    (own: Tensor, fresh: Tensor) => where(isKept, own, gatherRows(fresh, from, true)),
    (g) => {
      const stayed = equal(elementsAt(from, index), iota(index.size, "i32", index.device));
      return [where(isKept, g, 0), where(expandDims(stayed, 1), gatherRows(g, index, true), 0)];
    },
  );
  return put(x, values);
}
