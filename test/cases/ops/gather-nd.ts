import * as ops from "../../../src/ops/index.ts";
import { bools, N, whole, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const gatherNDCases = {
  gatherND: {
    calls: [
      { inputs: [x(3, 4, 2), whole(3, 5, 2)], run: (a, i) => ops.gatherND(a, i), scale: 3 },
      {
        inputs: [x(3, 3, 2), whole(2, 2, 3, 3)],
        run: (a, i) => ops.gatherND(ops.transpose(a), i),
        scale: 3,
      },
      { inputs: [x(2, 2), whole(1, 3, 0)], run: (a, i) => ops.gatherND(a, i), scale: 3 },
      { inputs: [x(2), whole(2, 0, 1)], run: (a, i) => ops.gatherND(a, i) },
    ],
    golden: [
      {
        run: (t) =>
          ops.gatherND(
            t([
              [
                [1, 2],
                [3, 4],
              ],
              [
                [5, 6],
                [7, 8],
              ],
            ]),
            t(
              [
                [0, 1],
                [1, 0],
                [0, 2],
                [-1, 1],
              ],
              "i32",
            ),
          ),
        is: [
          [3, 4],
          [5, 6],
          [N, N],
          [N, N],
        ],
        by: "tf.gather_nd, but outside is NaN",
      },
    ],
    rejects: [
      {
        run: (t) => ops.gatherND(t([1]), t([[0, 0]], "i32")),
        says: "gatherND: indices [1, 2] for [1]; expected [..., k] with k from 0 to 1",
      },
      {
        run: (t) => ops.gatherND(t([1]), t(0, "i32")),
        says: "gatherND: indices [] for [1]; expected [..., k] with k from 0 to 1",
      },
      {
        run: (t) => ops.gatherND(t([1]), t([0])),
        says: "gatherND: indices have dtype FLOAT; expected i32 or u32",
      },
    ],
    gradient: true,
  },
  scatterND: {
    calls: [
      {
        inputs: [x(3, 4, 2), whole(3, 20, 2), x(20, 2)],
        run: (a, i, v) => ops.scatterND(a, i, v),
      },
      {
        inputs: [x(4, 3), whole(4, 2, 10, 1), x(2, 10, 3)],
        run: (a, i, v) => ops.scatterND(a, i, v, { add: true }),
        scale: 6,
      },
      { inputs: [bools(3), whole(3, 2, 1), bools(2)], run: (a, i, v) => ops.scatterND(a, i, v) },
      { inputs: [x(3), whole(3, 0, 1), x(0)], run: (a, i, v) => ops.scatterND(a, i, v) },
    ],
    golden: [
      {
        run: (t) => {
          const places = t([[4], [3], [1], [4], [9], [-1]], "i32");
          const [zero, values] = [ops.broadcastTo(t(0), [6]), t([9, 10, 11, 12, 13, 14])];
          return ops.stack([
            ops.scatterND(zero, places, values),
            ops.scatterND(zero, places, values, { add: true }),
          ]);
        },
        is: [
          [0, 11, 0, 10, 12, 0],
          [0, 11, 0, 10, 21, 0],
        ],
        by: "by hand: the last stays, or all are added; outside is nowhere",
      },
    ],
    rejects: [
      {
        run: (t) => ops.scatterND(t([[1, 2]]), t([[0]], "i32"), t([1, 2])),
        says: "scatterND: values [2] for indices [1, 1]; expected [1, 2]",
      },
      {
        run: (t) => ops.scatterND(t([1, 2]), t([[0]], "i32"), t([1], "i32")),
        says: "scatterND: dtypes FLOAT and i32 differ; expected one dtype. cast one of them",
      },
      {
        run: (t) => ops.scatterND(t([true]), t([[0]], "i32"), t([true]), { add: true }),
        says: "scatterND: dtype bool; expected f32, f64, i32, u32. cast it first",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
