import { GradusError, grad } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { axisReject, N, unaryRejects, x } from "../../support/op-calls.ts";
import type { Call, Golden, OpCases } from "../../support/op-case.ts";

const INF = Number.POSITIVE_INFINITY;
const ORDERS = [1, 2, 3, 0.5, INF, -INF];

const calls: Call[] = ORDERS.map((order, i) => ({
  inputs: [x(3, 70, 2)],
  run: (a) =>
    ops.norm(a, { order, axis: [[0, 1], [1], [0], [2], [1, 2], [0]][i], keepDims: i % 2 > 0 }),
  scale: 10,
}));

const ofRows = (order: number | "fro" | undefined, is: number[], by: string): Golden => ({
  run: (t) =>
    ops.norm(
      t([
        [3, -4, 0],
        [0, 0, 0],
        [1, N, 1],
      ]),
      { order, axis: 1 },
    ),
  is: [...is, order === 0 ? 3 : N],
  by,
});

const slopes = (order: number, is: number[]): Golden => ({
  run: (t) => {
    const a = t([
      [3, -4, 0],
      [0, 0, 0],
      [2, 2, -2],
    ]);
    return ops.reshape(grad(ops.sum(ops.norm(a, { order, axis: 1 })), [a])[0], [9]);
  },
  is,
  by: "closed forms; 0 at 0",
});

const cbrt = Math.cbrt(91) ** 2;
const third = 3 ** (-2 / 3);

export const normCases = {
  norm: {
    calls,
    golden: [
      ofRows(undefined, [5, 0], "closed form"),
      ofRows("fro", [5, 0], "closed form"),
      ofRows(1, [7, 0], "closed form"),
      ofRows(3, [Math.cbrt(91), 0], "closed form"),
      ofRows(INF, [4, 0], "closed form"),
      ofRows(-INF, [0, 0], "closed form"),
      ofRows(0, [2, 0], "closed form"),
      {
        run: (t) =>
          ops.div(
            ops.norm(
              t([
                [3e30, 4e30],
                [3e-25, 4e-25],
              ]),
              { axis: 1 },
            ),
            t([1e30, 1e-25]),
          ),
        is: [5, 5],
        by: "squares would overflow and vanish in f32",
      },
      { run: (t) => ops.norm(t([])), is: 0, by: "of nothing" },
      slopes(2, [0.6, -0.8, 0, 0, 0, 0, ...[1, 1, -1].map((s) => s / Math.sqrt(3))]),
      slopes(3, [9 / cbrt, -16 / cbrt, 0, 0, 0, 0, ...[1, 1, -1].map((s) => s * third)]),
      slopes(INF, [0, -1, 0, 0, 0, 0, ...[1, 1, -1].map((s) => s / 3)]),
    ],
    rejects: [
      axisReject("norm"),
      ...unaryRejects("norm"),
      ...([-2, N, "nuc"] as const).map((order) => ({
        run: (t: Parameters<Golden["run"]>[0]) => ops.norm(t([1]), { order: order as number }),
        says: `norm: order ${order === "nuc" ? '"nuc"' : order}; expected a number from 0, Infinity, -Infinity or "fro"`,
        error: GradusError,
      })),
      {
        run: (t) => ops.norm(t([]), { order: INF }),
        says: "max: shape [1, 0] has no elements there; expected at least one",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
