import type { Tensor } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { axisReject, manyAxes, signed, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const broadcastCases = {
  broadcastTensors: {
    calls: [
      {
        inputs: [x(3, 1), x(4), x()],
        run: (...a) => ops.stack(ops.broadcastTensors(a)),
      },
      { inputs: [x(0, 1), x(1, 2)], run: (...a) => ops.stack(ops.broadcastTensors(a)) },
    ],
    golden: [
      {
        run: (t) => ops.stack(ops.broadcastTensors([t([[1], [2]]), t([3, 4])])),
        is: [
          [
            [1, 1],
            [2, 2],
          ],
          [
            [3, 4],
            [3, 4],
          ],
        ],
        by: "numpy.broadcast_arrays, by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.broadcastTensors([t([1, 2]), t([1]), t([1, 2, 3])]),
        says:
          "broadcastTensors: shapes [2] and [3] do not broadcast (2 vs 3); " +
          "expected equal sizes or 1 on each axis, counted from the last",
      },
      {
        run: () => ops.broadcastTensors([]),
        says: "broadcastTensors: no tensors; expected an array of at least one tensor",
      },
      {
        run: (t) => ops.broadcastTensors(t([1]) as never),
        says:
          "broadcastTensors: a Tensor; expected an array of at least one tensor. Did you mean " +
          "broadcastTensors([a, b])?",
      },
    ],
    gradient: true,
  },
  broadcastTo: {
    calls: [
      { inputs: [x(3, 1)], run: (a) => ops.broadcastTo(a, [2, 3, 4]), scale: 4 },
      { inputs: [x()], run: (a) => ops.broadcastTo(a, [5]), scale: 4 },
      { inputs: [x(1, 3)], run: (a) => ops.broadcastTo(a, [0, 3]) },
    ],
    golden: [
      {
        run: (t) => ops.broadcastTo(t([[1], [2]]), [2, 2]),
        is: [
          [1, 1],
          [2, 2],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.broadcastTo(t([1]), [1.5]),
        says: "broadcastTo: shape [1.5]; expected an array of non-negative integers",
      },
      {
        run: (t) => ops.broadcastTo(t([1, 2]), [3]),
        says:
          "broadcastTo: shape [2] to [3]; expected each axis, counted from the last, " +
          "to be 1 or equal",
      },
    ],
    gradient: true,
  },
  sumTo: {
    calls: [
      { inputs: [x(2, 3, 4)], run: (a) => ops.sumTo(a, [3, 1]), scale: 4 },
      { inputs: [x(5, 4)], run: (a) => ops.sumTo(a, [4]), scale: 4 },
    ],
    golden: [
      {
        run: (t) =>
          ops.sumTo(
            t([
              [1, 2],
              [3, 4],
            ]),
            [2],
          ),
        is: [4, 6],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.sumTo(t([1, 2, 3]), [2]),
        says: "sumTo: shape [3] to [2]; expected one that broadcasts to the former",
      },
      {
        run: (t) => ops.sumTo(t([true, false]), []),
        says: "sumTo: dtype bool; expected f32, f64, i32, u32. cast it first",
      },
    ],
    gradient: true,
  },
  sum: {
    calls: [
      ...manyAxes(ops.sum),
      { inputs: [signed(4, 600)], run: (a) => ops.sum(a, { axis: 1 }) },
      // Lengths around the switch to chunks before the tree, and a second round of chunks.
      ...[8191, 8192, 8193, 20_000].map((n) => ({
        inputs: [x(2, n)],
        run: (a: Tensor) => ops.sum(a, { axis: 1 }),
        scale: Math.sqrt(n),
      })),
      { inputs: [x(0, 3)], run: (a) => ops.sum(a, { axis: 0 }) },
      { inputs: [x(0, 3)], run: (a) => ops.sum(a, { axis: 1 }) },
    ],
    golden: [
      {
        run: (t) =>
          ops.sum(
            t([
              [1, 2],
              [3, 4],
            ]),
          ),
        is: 10,
        by: "by hand",
      },
      {
        run: (t) =>
          ops.sum(
            t([
              [1, 2],
              [3, 4],
            ]),
            { axis: 0 },
          ),
        is: [4, 6],
        by: "by hand",
      },
      { run: (t) => ops.sum(t([])), is: 0, by: "empty sum" },
    ],
    rejects: [
      axisReject("sum"),
      {
        run: (t) => ops.sum(t([true])),
        says: "sum: dtype bool; expected f32, f64, i32, u32. cast it first",
      },
      {
        run: (t) => ops.sum(t([[1]]), { axis: [0, -2] }),
        says: "sum: axes [0, 0] repeat; expected each axis once",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
