import { GradusError, grad } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { axisReject, N, unaryRejects, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const INF = Number.POSITIVE_INFINITY;
const EMPTY = "shape [0] has no elements there; expected at least one";

export const quantileCases = {
  quantile: {
    calls: [
      {
        inputs: [x(3, 70)],
        run: (a) => ops.quantile(a, [0.1, 0.5, 1], { axis: 1, keepDims: true }),
      },
      {
        inputs: [x(4, 3, 5)],
        run: (a) => ops.quantile(a, 0.7, { axis: [0, 2], method: "midpoint" }),
      },
    ],
    golden: [
      {
        run: (t) =>
          ops.quantile(
            t([
              [4, 1, 3, 2],
              [9, 9, 9, N],
            ]),
            [0, 0.25, 0.5, 0.9],
            { axis: 1 },
          ),
        is: [
          [1, N],
          [1.75, N],
          [2.5, N],
          [3.7, N],
        ],
        by: "NumPy",
      },
      {
        run: (t) =>
          ops.stack(
            (["linear", "lower", "higher", "nearest", "midpoint"] as const).map((method) =>
              ops.quantile(t([0, 10, 20, 30, 40, 50]), [0.25, 0.5], { method }),
            ),
          ),
        is: [
          [12.5, 25],
          [10, 20],
          [20, 30],
          [10, 20],
          [15, 25],
        ],
        by: "NumPy",
      },
      {
        // What lies between infinities is one of them, or NaN.
        run: (t) =>
          ops.sign(
            ops.quantile(
              t([
                [INF, INF],
                [-INF, 5],
                [-INF, INF],
                [3e38, -3e38],
              ]),
              0.25,
              { axis: 1 },
            ),
          ),
        is: [1, -1, N, -1],
        by: "each counts by its own",
      },
      { run: (t) => ops.quantile(t([0.1, 0.1, 0.1]), 0.3), is: 0.1, by: "of equal numbers" },
    ],
    rejects: [
      axisReject("median"),
      {
        run: (t) => ops.quantile(t([1]), 1.5),
        says: "quantile: q 1.5; expected a number from 0 to 1",
        error: GradusError,
      },
      {
        run: (t) => ops.quantile(t([1]), []),
        says: "quantile: q an array; expected at least one number",
        error: GradusError,
      },
      {
        run: (t) => ops.quantile(t([1]), 0.5, { method: "middle" as never }),
        says: "quantile: method middle; expected linear, lower, higher, nearest, midpoint",
        error: GradusError,
      },
      { run: (t) => ops.quantile(t([]), 0.5), says: `quantile: ${EMPTY}` },
    ],
    gradient: true,
  },
  median: {
    calls: [{ inputs: [x(3, 9, 4)], run: (a) => ops.median(a, { axis: [1, 2] }) }],
    golden: [
      {
        run: (t) =>
          ops.median(
            t(
              [
                [3, 1, 2],
                [N, 1, 2],
                [INF, 1, INF],
              ].slice(0, 2),
            ),
            { axis: 1 },
          ),
        is: [2, N],
        by: "NumPy",
      },
      { run: (t) => ops.median(t([4, 1, 3, 2])), is: 2.5, by: "NumPy" },
      {
        run: (t) => {
          const a = t([4, 1, 3, 2]);
          return grad(ops.median(a), [a])[0];
        },
        is: [0, 0, 0.5, 0.5],
        by: "half each of the middle two",
      },
    ],
    rejects: [
      axisReject("median"),
      ...unaryRejects("median"),
      { run: (t) => ops.median(t([])), says: `median: ${EMPTY}` },
    ],
    gradient: true,
  },
} satisfies OpCases;
