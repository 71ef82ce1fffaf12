import type { NestedArray } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { OpCases, Reject } from "../../support/op-case.ts";

export const writeAtCases = {
  writeAt: {
    calls: [0, 3, 6, 7 + 5].map((index) => ({
      inputs: [x(7), x(), { shape: [], dtype: "u32", low: index, high: index + 1 }],
      run: (a, value, i) => ops.writeAt(a, i, value),
    })),
    golden: [
      {
        run: (t) => ops.writeAt(t([1, 2, 3]), t(4, "u32"), t(9)),
        is: [1, 9, 3],
        by: "4 mod 3 is 1",
      },
    ],
    rejects: [
      {
        run: (t) => ops.writeAt(t([1]), t([0], "u32"), t([1], "i32")),
        says: "writeAt: dtypes FLOAT and i32 differ; expected one dtype. cast one of them",
      },
      ...(
        [
          [[[1, 2]], 0, 9, "x [1, 2], index u32 [], value []"],
          [[], 0, 9, "x [0], index u32 [], value []"],
          [[1, 2], [0], 9, "x [2], index u32 [1], value []"],
          [[1, 2], 0, [9], "x [2], index u32 [], value [1]"],
        ] as [NestedArray, NestedArray, NestedArray, string][]
      ).map(
        ([of, index, value, given]): Reject => ({
          run: (t) => ops.writeAt(t(of), t(index, "u32"), t(value)),
          says: `writeAt: ${given}; expected [n] with n from 1, a u32 scalar and a scalar`,
        }),
      ),
      {
        run: (t) => ops.writeAt(t([1, 2]), t(0, "i32"), t(9)),
        says:
          "writeAt: x [2], index i32 [], value []; expected [n] with n from 1, a u32 scalar and " +
          "a scalar",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
