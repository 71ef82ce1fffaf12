import * as ops from "../../../src/ops/index.ts";
import { whole, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const takeCases = {
  take: {
    calls: [
      {
        inputs: [x(3, 4), whole(12, 2, 5)],
        run: (a, i) => ops.take(ops.transpose(a), i),
        scale: 3,
      },
      { inputs: [x(3, 4), whole(4, 2)], run: (a, i) => ops.take(a, i, { axis: -1 }) },
      { inputs: [x(), whole(1)], run: (a, i) => ops.take(a, i) },
      { inputs: [x(3), whole(3, 0)], run: (a, i) => ops.take(a, i) },
    ],
    golden: [
      {
        run: (t) =>
          ops.take(
            t([
              [4, 3, 5],
              [7, 6, 8],
            ]),
            t(
              [
                [0, 1],
                [5, 6],
              ],
              "u32",
            ),
          ),
        is: [
          [4, 3],
          [8, Number.NaN],
        ],
        by: "numpy.take, but outside is NaN",
      },
    ],
    rejects: [
      {
        run: (t) => ops.take(t([1]), t([0])),
        says: "take: indices have dtype FLOAT; expected i32 or u32",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
