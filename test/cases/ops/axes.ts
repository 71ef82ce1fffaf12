import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const axesCases = {
  moveAxis: {
    calls: [
      { inputs: [x(2, 3, 4, 5)], run: (a) => ops.moveAxis(a, [0, -1], [-1, 1]) },
      { inputs: [x(0, 3)], run: (a) => ops.moveAxis(a, 0, 1) },
    ],
    golden: [
      {
        run: (t) => ops.moveAxis(t([[[1, 2, 3]], [[4, 5, 6]]]), 2, 0),
        is: [
          [[1], [4]],
          [[2], [5]],
          [[3], [6]],
        ],
        by: "numpy.moveaxis, by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.moveAxis(t([[1]]), [0, 1], 0),
        says: "moveAxis: axes [0, 1] to [0]; expected as many of each",
      },
      {
        run: (t) => ops.moveAxis(t([[1]]), [0, -2], [0, 1]),
        says: "moveAxis: axes [0, 0] repeat; expected each axis once",
      },
      {
        run: (t) => ops.moveAxis(t([[1]]), 0, 2),
        says: "moveAxis: axis 2; expected an integer in [-2, 1] for rank 2",
      },
    ],
    gradient: true,
  },
  flatten: {
    calls: [
      { inputs: [x(2, 3, 4)], run: (a) => ops.flatten(ops.transpose(a), 0, -2) },
      { inputs: [x()], run: (a) => ops.flatten(a) },
      { inputs: [x(2, 0)], run: (a) => ops.flatten(a) },
    ],
    golden: [
      {
        run: (t) =>
          ops.flatten(
            t([
              [1, 2],
              [3, 4],
            ]),
          ),
        is: [1, 2, 3, 4],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.flatten(t([[1]]), 1, 0),
        says: "flatten: axes 1 to 0; expected the first not behind the last",
      },
      {
        run: (t) => ops.flatten(t([[1]]), -3),
        says: "flatten: axis -3; expected an integer in [-2, 1] for rank 2",
      },
    ],
    gradient: true,
  },
  unflatten: {
    calls: [{ inputs: [x(2, 12)], run: (a) => ops.unflatten(a, -1, [2, -1, 3]) }],
    golden: [
      {
        run: (t) => ops.unflatten(t([1, 2, 3, 4]), 0, [2, -1]),
        is: [
          [1, 2],
          [3, 4],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.unflatten(t([[1, 2, 3]]), 1, [2, -1]),
        says:
          "unflatten: sizes [2,-1] for axis 1 of [1, 3]; expected integers whose product is 3, at " +
          "most one of them -1",
      },
      {
        run: (t) => ops.unflatten(t([1, 2]), 0, 2 as never),
        says:
          "unflatten: sizes 2 for axis 0 of [2]; expected integers whose product is 2, at most one " +
          "of them -1",
      },
      {
        run: (t) => ops.unflatten(t([]), 0, [0, -1]),
        says:
          "unflatten: sizes [0,-1] for axis 0 of [0]; expected integers whose product is 0, at most " +
          "one of them -1",
      },
      {
        run: (t) => ops.unflatten(t([1]), 1, [1]),
        says: "unflatten: axis 1; expected an integer in [-1, 0] for rank 1",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
