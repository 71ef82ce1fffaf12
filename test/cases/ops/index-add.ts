import * as ops from "../../../src/ops/index.ts";
import { signed, whole, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const indexAddCases = {
  indexAdd: {
    calls: [
      {
        inputs: [x(3, 4, 2), whole(4, 5), x(3, 5, 2)],
        run: (a, i, v) => ops.indexAdd(a, i, v, { axis: 1 }),
        scale: 3,
      },
      { inputs: [signed(3), whole(3, 9), signed(9)], run: (a, i, v) => ops.indexAdd(a, i, v) },
      { inputs: [x(3, 2), whole(3, 0), x(0, 2)], run: (a, i, v) => ops.indexAdd(a, i, v) },
    ],
    golden: [
      {
        run: (t) =>
          ops.indexAdd(
            t([
              [1, 1],
              [2, 2],
            ]),
            t([1, 1, 5], "i32"),
            t([
              [1, 2],
              [3, 4],
              [9, 9],
            ]),
          ),
        is: [
          [1, 1],
          [6, 8],
        ],
        by: "torch.index_add, by hand; outside is nowhere",
      },
    ],
    rejects: [
      {
        run: (t) => ops.indexAdd(t([[1, 2]]), t([0], "i32"), t([[1]])),
        says: "indexAdd: values [1, 1] for 1 indices on axis 0 of [1, 2]; expected [1, 2]",
      },
      {
        run: (t) => ops.indexAdd(t([1]), t([[0]], "i32"), t([1])),
        says: "indexAdd: indices [1, 1]; expected [n]",
      },
      {
        run: (t) => ops.indexAdd(t([true]), t([0], "i32"), t([true])),
        says: "indexAdd: dtype bool; expected f32, f64, i32, u32. cast it first",
      },
    ],
    gradient: true,
  },
  segmentSum: {
    calls: [
      { inputs: [x(9, 2), whole(4, 9)], run: (a, i) => ops.segmentSum(a, i, 3), scale: 3 },
      { inputs: [signed(5), whole(3, 5)], run: (a, i) => ops.segmentSum(a, i, 3) },
      { inputs: [x(0, 2), whole(1, 0)], run: (a, i) => ops.segmentSum(a, i, 2) },
      { inputs: [x(3), whole(3, 3)], run: (a, i) => ops.segmentSum(a, i, 4) },
      { inputs: [x(0, 2), whole(1, 0)], run: (a, i) => ops.segmentSum(a, i, 0) },
    ],
    golden: [
      {
        run: (t) =>
          ops.segmentSum(
            t([
              [1, 2, 3, 4],
              [5, 6, 7, 8],
              [4, 3, 2, 1],
            ]),
            t([0, 1, 0], "i32"),
            3,
          ),
        is: [
          [5, 5, 5, 5],
          [5, 6, 7, 8],
          [0, 0, 0, 0],
        ],
        by: "tf.math.unsorted_segment_sum, as its documentation shows it",
      },
    ],
    rejects: [
      {
        run: (t) => ops.segmentSum(t([1, 2]), t([0], "i32"), 1),
        says: "segmentSum: x [2] for 1 segments; expected [1, …]",
      },
      {
        run: (t) => ops.segmentSum(t([1]), t([0]), 1),
        says: "segmentSum: segments have dtype FLOAT; expected i32 or u32",
      },
      {
        run: (t) => ops.segmentSum(t([1]), t([0], "i32"), -1),
        says: "segmentSum: count -1; expected an integer from 0",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
