import { sizeOf } from "../core/shape.ts";
import type { Strided } from "../core/strided.ts";
import type { Traits } from "../forms/traits.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { segmentSums } from "../kernels/segment-sum.ts";
import { iota } from "./creation.ts";
import { reshape } from "./reshape.ts";
import { elementAt } from "./rows.ts";
import { placesInShaders } from "./search-sorted.ts";
import { runsToSort } from "./sort-runs.ts";

/** An element of a 1-D view. */
function valueAt({ data, offset, strides }: Strided, i: number): number {
  return data[offset + i * strides[0]];
}

/** y[r, c] = Σ of g[order[j], c] over j from starts[r] to before starts[r + 1]. */
const segmentSumOp: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
  name: "segmentSum",
  infer: ([starts, , g]) => ({ shape: [starts.shape[0] - 1, g.shape[1]], dtype: g.dtype }),
  flops: ([, , { shape }]) => sizeOf(shape),
  cpu: (y, [starts, order, g]) => {
    const [rows, columns] = y.shape;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        let sum = 0; // in float64
        for (let j = valueAt(starts, r); j < valueAt(starts, r + 1); j++)
          sum += elementAt(g, valueAt(order, j), c);
        y.data[r * columns + c] = sum;
      }
    }
  },
  form: {
    kind: "kernel",
    batching: null, // only `lower` makes it
    family: segmentSums,
    problem: ({ inputs: [, order], y: { shape, dtype } }) => {
      const [ROWS, COLUMNS] = shape;
      return { dtype, ROWS, COLUMNS, COUNT: order.shape[0] };
    },
  },
  vjp: null,
});

/**
 * Adds each row of g, `[n, columns]`, to the row of the result that `index`, i32 `[n]`, names, in the
 * order in which they lie in g: sorts the indices, finds where each row's begin, and adds those.
 */
export function sumBySorting(index: Tensor, g: Tensor, rows: number, traits: Traits): Tensor {
  const n = index.size;
  const sorted = runsToSort(reshape(index, [1, n]), { keep: n, descending: false }, traits);
  const [values, order] = sorted.map((y) => reshape(y, [n]));
  const starts = placesInShaders(values, iota(rows + 1, "i32", g.device));
  return apply(segmentSumOp, [starts, order, g], {});
}
