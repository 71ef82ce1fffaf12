import * as ops from "../../../src/ops/index.ts";
import { binaryRejects, N, unaryRejects, viewCall, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const rootCases = {
  rsqrt: {
    calls: [viewCall(ops.rsqrt, 0.2, 3)],
    golden: [
      { run: (t) => ops.rsqrt(t([1, 4, 0.5, -1])), is: [1, 0.5, Math.SQRT2, N], by: "1 / √x" },
    ],
    rejects: unaryRejects("rsqrt"),
    gradient: true,
  },
  cbrt: {
    calls: [viewCall(ops.cbrt, 0.2, 3)],
    golden: [
      {
        run: (t) => ops.cbrt(t([0, 27, -8, 2, 0.5])),
        is: [0, 3, -2, 1.2599210498948732, 0.7937005259840998],
        by: "40 digits in decimal arithmetic",
      },
    ],
    rejects: unaryRejects("cbrt"),
    gradient: true,
  },
  hypot: {
    calls: [
      { inputs: [x(1, 65), { shape: [4, 1], low: 0.2, high: 2 }], run: (a, b) => ops.hypot(a, b) },
      { inputs: [x(65)], run: (a) => ops.hypot(a, -0.7) },
      { inputs: [x(65)], run: (b) => ops.hypot(2, b) },
    ],
    golden: [
      {
        run: (t) => ops.hypot(t([3, -5, 0, 1]), t([4, 12, 0, -1])),
        is: [5, 13, 0, Math.SQRT2],
        by: "Pythagorean triples",
      },
      {
        run: (t) => ops.div(ops.hypot(t([3e38]), t([1e38])), 1e38),
        is: [Math.sqrt(10)],
        by: "√10",
      },
    ],
    rejects: binaryRejects("hypot"),
    gradient: true,
  },
} satisfies OpCases;
