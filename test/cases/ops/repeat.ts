import * as ops from "../../../src/ops/index.ts";
import { whole, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const repeatCases = {
  tile: {
    calls: [
      { inputs: [x(3, 2)], run: (a) => ops.tile(ops.transpose(a), [2, 3, 1]) },
      { inputs: [x(2, 3, 2)], run: (a) => ops.tile(a, [2]) },
      { inputs: [x()], run: (a) => ops.tile(a, [2, 2]) },
      { inputs: [x(2, 3)], run: (a) => ops.tile(a, [0, 2]) },
      { inputs: [whole(9, 3)], run: (a) => ops.tile(a, []) },
    ],
    golden: [
      {
        run: (t) =>
          ops.tile(
            t([
              [1, 2],
              [3, 4],
            ]),
            [2, 1],
          ),
        is: [
          [1, 2],
          [3, 4],
          [1, 2],
          [3, 4],
        ],
        by: "numpy.tile, as its documentation shows it",
      },
    ],
    rejects: [
      {
        run: (t) => ops.tile(t([1]), [-1]),
        says: "tile: counts [-1]; expected an array of integers from 0",
      },
      {
        run: (t) => ops.tile(t([1]), 2 as never),
        says: "tile: counts 2; expected an array of integers from 0",
      },
      {
        run: (t) => ops.tile(t([1]), [2 ** 16, 2 ** 16]),
        says: "tile: shape [65536, 1, 65536, 1]; expected fewer than 2^32 elements",
      },
    ],
    gradient: true,
  },
  repeatInterleave: {
    calls: [
      { inputs: [x(2, 3)], run: (a) => ops.repeatInterleave(a, 4, { axis: 1 }) },
      { inputs: [x(3, 2)], run: (a) => ops.repeatInterleave(a, [2, 0, 3], { axis: 0 }) },
      { inputs: [x(3, 2)], run: (a) => ops.repeatInterleave(ops.transpose(a), 2) },
      { inputs: [x()], run: (a) => ops.repeatInterleave(a, 3) },
      { inputs: [x(0, 2)], run: (a) => ops.repeatInterleave(a, 3, { axis: 0 }) },
      { inputs: [x(2)], run: (a) => ops.repeatInterleave(a, 0) },
    ],
    golden: [
      {
        run: (t) =>
          ops.repeatInterleave(
            t([
              [1, 2],
              [3, 4],
            ]),
            [1, 2],
            { axis: 0 },
          ),
        is: [
          [1, 2],
          [3, 4],
          [3, 4],
        ],
        by: "numpy.repeat, as its documentation shows it",
      },
    ],
    rejects: [
      {
        run: (t) => ops.repeatInterleave(t([[1], [2]]), [1, 2, 3], { axis: 0 }),
        says:
          "repeatInterleave: counts [1,2,3] for axis 0 of [2, 1]; expected an integer from 0, or 2 " +
          "of them",
      },
      {
        run: (t) => ops.repeatInterleave(t([1, 2]), 1.5),
        says: "repeatInterleave: counts 1.5 for axis 0 of [2]; expected an integer from 0, or 2 of them",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
