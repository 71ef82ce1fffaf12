import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { N, signed, whole, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const both = ({ counts, edges }: ops.Histogram) =>
  ops.concat([ops.cast(counts, edges.dtype), edges]);

export const countsCases = {
  bincount: {
    calls: [
      {
        inputs: [whole(6, 4, 5), x(4, 5)],
        run: (i, weights) => ops.bincount(i, 5, { weights }),
        scale: 3,
      },
      { inputs: [signed(40)], run: (i) => ops.bincount(i, 9) },
      { inputs: [whole(1, 0)], run: (i) => ops.bincount(i, 2) },
    ],
    golden: [
      {
        run: (t) => ops.bincount(t([0, 1, 1, 3, 2, 1, 7, -1, 8], "i32"), 8),
        is: [1, 3, 1, 1, 0, 0, 0, 1],
        by: "numpy.bincount, as its documentation shows it; outside counts nowhere",
      },
      {
        run: (t) => ops.bincount(t([1, 0, 1], "u8"), 2, { weights: t([0.5, 1, 2]) }),
        is: [1, 2.5],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.bincount(t([1]), 2),
        says: "bincount: x has dtype FLOAT; expected i32, u32, u8, i8, u16 or i16",
      },
      {
        run: (t) => ops.bincount(t([1], "i32"), 0.5),
        says: "bincount: size 0.5; expected an integer from 0",
      },
      {
        run: (t) => ops.bincount(t([1], "i32"), 2, { weights: t([1, 2]) }),
        says: "bincount: weights [2] for [1]; expected the same shape",
      },
      {
        run: (t) => ops.bincount(t([1], "i32"), 2, { weights: [1] as never }),
        says: "bincount: input 1 is an array; expected a tensor. Use tensor(value)",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  histogram: {
    calls: [
      {
        inputs: [x(9, 5)],
        run: (a) => ops.histogram(a, { bins: [-1, -0.75, 0, 0.5], weights: ops.square(a) }).counts,
        scale: 3,
      },
      { inputs: [x(0)], run: (a) => both(ops.histogram(a, { bins: 2 })) },
    ],
    golden: [
      {
        run: (t) => both(ops.histogram(t([1, 2, 1, 4, 0.5, 5, N, 3]), { bins: 3, range: [1, 4] })),
        is: [2, 1, 2, 1, 2, 3, 4],
        by: "numpy.histogram; NaN counts nowhere",
      },
      {
        run: (t) =>
          both(
            ops.histogram(
              t([
                [-1, 0],
                [1, 3],
              ]),
              { bins: 4 },
            ),
          ),
        is: [1, 1, 1, 1, -1, 0, 1, 2, 3],
        by: "numpy.histogram",
      },
      {
        run: (t) => both(ops.histogram(t([2, 2], "i32"), { bins: 2 })),
        is: [0, 2, 1.5, 2, 2.5],
        by: "numpy.histogram",
      },
      {
        run: (t) =>
          both(
            ops.histogram(t([0, 1, 2, 3, 4]), {
              bins: [0, 1, 4],
              weights: t([1, 2, 3, 4, 5], "i32"),
            }),
          ),
        is: [1, 14, 0, 1, 4],
        by: "numpy.histogram",
      },
    ],
    rejects: [
      {
        run: (t) => ops.histogram(t([1]), { bins: 0 }),
        says: "histogram: bins 0; expected an integer from 1, or edges",
      },
      {
        run: (t) => ops.histogram(t([1]), { bins: [1, 1] }),
        says: "histogram: bins [1,1]; expected at least two finite numbers that ascend",
        error: GradusError,
      },
      {
        run: (t) => ops.histogram(t([1]), { range: [1, 0] }),
        says: "histogram: range [1,0]; expected two finite numbers that ascend",
        error: GradusError,
      },
      {
        run: (t) => ops.histogram(t([1]), { weights: t([[1]]) }),
        says: "histogram: weights [1, 1] for [1]; expected the same shape",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
