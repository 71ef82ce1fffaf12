import * as ops from "../../../src/ops/index.ts";
import { axisReject, N, x } from "../../support/op-calls.ts";
import type { OpCase, OpCases } from "../../support/op-case.ts";

type Name = "any" | "all" | "countNonZero";

const row = (name: Name, is: number[], ofNothing: number, why: string): OpCase => ({
  calls: [
    { inputs: [x(5, 70)], run: (a) => ops[name](ops.relu(a), { axis: 0 }) },
    { inputs: [x(2, 130, 3)], run: (a) => ops[name](ops.greater(a, -0.98), { axis: [1] }) },
    {
      inputs: [{ shape: [4, 3], dtype: "u32", low: 0, high: 2 }],
      run: (a) => ops[name](a, { axis: -1, keepDims: true }),
    },
  ],
  golden: [
    {
      run: (t) =>
        ops[name](
          t([
            [0, -0, 0],
            [0, N, 0],
            [1, -2, 1e-30],
          ]),
          { axis: 1 },
        ),
      is,
      by: "by hand; NaN is not 0",
    },
    {
      run: (t) => ops[name](t([true, false, true])),
      is: is[1] + (name === "countNonZero" ? 1 : 0),
      by: "by hand",
    },
    {
      run: (t) => ops[name](t([[], []]), { axis: 1 }),
      is: [ofNothing, ofNothing],
      by: "of nothing",
    },
  ],
  rejects: [
    axisReject(name),
    {
      run: (t) => ops[name](t([1], "u8")),
      says: `${name}: dtype u8; expected f32, f64, i32, u32, bool. cast it first`,
    },
  ],
  gradient: why,
});

export const countCases = {
  any: row("any", [0, 1, 1], 0, "a bool"),
  all: row("all", [0, 0, 1], 1, "a bool"),
  countNonZero: row("countNonZero", [0, 1, 3], 0, "a whole number"),
} satisfies OpCases;
