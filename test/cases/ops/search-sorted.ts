import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { N, signed, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const searchSortedCases = {
  searchSorted: {
    calls: [
      { inputs: [x(70), x(5, 3)], run: (a, v) => ops.searchSorted(ops.sort(a).values, v) },
      {
        inputs: [x(3, 5), x(3, 4)],
        run: (a, v) => ops.searchSorted(ops.sort(a).values, v, { side: "right" }),
      },
      {
        inputs: [signed(20), signed(30)],
        run: (a, v) => ops.searchSorted(ops.sort(a).values, v, { side: "right" }),
      },
      { inputs: [x(0), x(3)], run: (a, v) => ops.searchSorted(a, v) },
      { inputs: [x(2, 3), x(2, 0)], run: (a, v) => ops.searchSorted(a, v) },
    ],
    golden: [
      {
        run: (t) => {
          const sorted = t([11, 12, 12, 14, N]);
          const values = t([-10, 20, 12, 13, N, 11, 15]);
          return ops.stack([
            ops.searchSorted(sorted, values),
            ops.searchSorted(sorted, values, { side: "right" }),
          ]);
        },
        is: [
          [0, 4, 1, 3, 4, 0, 4],
          [0, 4, 3, 3, 5, 1, 4],
        ],
        by: "numpy.searchsorted",
      },
    ],
    rejects: [
      {
        run: (t) => ops.searchSorted(t([[1, 2]]), t([1])),
        says:
          "searchSorted: sorted [1, 2], values [1]; expected [n], or [..., n] and [..., m] with the " +
          "same axes in front",
      },
      {
        run: (t) => ops.searchSorted(t([1, 2]), t([1], "i32")),
        says: "searchSorted: dtypes FLOAT and i32 differ; expected one dtype. cast one of them",
      },
      {
        run: (t) => ops.searchSorted(t([1]), t([1]), { side: "middle" as never }),
        says: "searchSorted: side middle; expected left, right",
        error: GradusError,
      },
      {
        run: (t) => ops.searchSorted(t([true]), t([true])),
        says: "searchSorted: dtype bool; expected f32, f64, i32, u32. cast it first",
      },
    ],
    gradient: "gives places",
  },
} satisfies OpCases;
