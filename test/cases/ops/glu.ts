import { ShapeError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { unaryRejects } from "../../support/op-calls.ts";
import type { OpCase, OpCases } from "../../support/op-case.ts";

/** σ(log 3) is 3/4. */
const LOG3 = Math.log(3);

const row = (name: "glu" | "swiglu", of: number[][], is: number[][]): OpCase => ({
  calls: [
    { inputs: [{ shape: [13, 6], low: -5, high: 5 }], run: (a) => ops[name](a) },
    { inputs: [{ shape: [6, 4, 3], low: -5, high: 5 }], run: (a) => ops[name](a, { axis: 1 }) },
  ],
  golden: [
    { run: (t) => ops[name](t(of), { axis: 0 }), is, by: "σ(log 3) = 3/4" },
    { run: (t) => ops.sum(ops[name](t([[], []]))), is: 0, by: "of nothing" },
  ],
  rejects: [
    ...unaryRejects(name),
    {
      run: (t) => ops[name](t([[1, 2, 3]])),
      says: `${name}: shape [1, 3] has 3 elements along axis 1; expected an even number`,
      error: ShapeError,
    },
    {
      run: (t) => ops[name](t([1, 2]), { axis: 1 }),
      says: `${name}: axis 1; expected an integer in [-1, 0] for rank 1`,
    },
  ],
  gradient: true,
});

export const gluCases = {
  glu: row(
    "glu",
    [
      [4, -8],
      [1, 0],
      [1e38, -1e38],
      [LOG3, 1],
    ],
    [
      [4, 0],
      [0.75, 0],
    ],
  ),
  swiglu: row(
    "swiglu",
    [
      [LOG3, -1e38],
      [1e38, 0],
      [4, 1],
      [0.5, 1],
    ],
    [
      [3 * LOG3, 0],
      [0.5e38, 0],
    ],
  ),
} satisfies OpCases;
