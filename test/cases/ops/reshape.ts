import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const reshapeCases = {
  reshape: {
    calls: [
      { inputs: [x(3, 4)], run: (a) => ops.reshape(a, [2, -1]) },
      { inputs: [x(3, 4)], run: (a) => ops.reshape(ops.transpose(a), [6, 2]) },
      { inputs: [x(1)], run: (a) => ops.reshape(a, []) },
      { inputs: [x(0, 3)], run: (a) => ops.reshape(a, [3, 0]) },
    ],
    golden: [
      {
        run: (t) => ops.reshape(t([1, 2, 3, 4]), [2, 2]),
        is: [
          [1, 2],
          [3, 4],
        ],
        by: "row-major",
      },
    ],
    rejects: [
      {
        run: (t) => ops.reshape(t([1, 2, 3]), [2, -1]),
        says: "reshape: shape [3] to [2, -1]; expected 3 elements, at most one axis -1",
      },
      {
        run: (t) => ops.reshape(t([1, 2, 3, 4]), [-2, -2]),
        says: "reshape: shape [4] to [-2, -2]; expected 4 elements, at most one axis -1",
      },
    ],
    gradient: true,
  },
  squeeze: {
    calls: [
      { inputs: [x(1, 3, 1)], run: (a) => ops.squeeze(a) },
      { inputs: [x(1, 3, 1)], run: (a) => ops.squeeze(a, -1) },
    ],
    golden: [{ run: (t) => ops.squeeze(t([[[1], [2]]])), is: [1, 2], by: "by hand" }],
    rejects: [
      {
        run: (t) => ops.squeeze(t([[1, 2]]), 1),
        says: "squeeze: axis 1 of [1, 2] has size 2; expected 1",
      },
    ],
    gradient: true,
  },
  expandDims: {
    calls: [{ inputs: [x(3)], run: (a) => ops.expandDims(a, -1) }],
    golden: [{ run: (t) => ops.expandDims(t([1, 2]), 0), is: [[1, 2]], by: "by hand" }],
    rejects: [
      {
        run: (t) => ops.expandDims(t([1]), 2),
        says: "expandDims: axis 2; expected an integer in [-2, 1] for rank 2",
      },
    ],
    gradient: true,
  },
  permute: {
    calls: [
      { inputs: [x(2, 3, 4)], run: (a) => ops.permute(a, [2, 0, -2]) },
      { inputs: [x(2, 3, 4)], run: (a) => ops.permute(a, -1, 0, 1) },
    ],
    golden: [
      {
        run: (t) => ops.permute(t([[[1, 2]], [[3, 4]]]), [2, 1, 0]),
        is: [[[1, 3]], [[2, 4]]],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.permute(t([[1]]), [0, 0]),
        says: "permute: axes [0, 0] of [1, 1]; expected each axis once",
      },
    ],
    gradient: true,
  },
  transpose: {
    calls: [
      { inputs: [x(3, 4)], run: (a) => ops.transpose(a) },
      { inputs: [x(2, 3, 4)], run: (a) => ops.transpose(a) },
      { inputs: [x(2, 3, 4)], run: (a) => ops.transpose(a, [1, 2, 0]) },
      { inputs: [x(2, 3, 4)], run: (a) => ops.transpose(a, -1, 0) },
      { inputs: [x(2, 3, 4)], run: (a) => ops.transpose(a, -1, 0, 1) },
    ],
    golden: [
      {
        run: (t) =>
          ops.transpose(
            t([
              [1, 2],
              [3, 4],
            ]),
          ),
        is: [
          [1, 3],
          [2, 4],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.transpose(t([1])),
        says: "transpose: shape [1]; expected at least two axes",
      },
      {
        run: (t) => ops.transpose(t([[1]]), 1),
        says: "transpose: axis 1 alone; expected two axes to swap, or the order of all",
      },
      {
        run: (t) => ops.transpose(t([[1]]), 0, 2),
        says: "transpose: axis 2; expected an integer in [-2, 1] for rank 2",
      },
      {
        run: (t) => ops.transpose(t([[1]]), [0]),
        says: "transpose: axes [0] of [1, 1]; expected each axis once",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
