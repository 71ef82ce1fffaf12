import { grad } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { N, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const lerpCases = {
  lerp: {
    calls: [
      {
        inputs: [x(5, 13), x(13, 1), { shape: [], low: 0, high: 1 }],
        run: (a, b, w) => ops.lerp(ops.transpose(a), b, w),
      },
      { inputs: [x(70), x(70), { shape: [70], low: -1, high: 2 }], run: ops.lerp },
      { inputs: [x(9)], run: (w) => ops.lerp(2, w, 0.25) },
    ],
    golden: [
      {
        run: (t) => ops.lerp(t([1, 1, 1, 1, N]), t([3, 3, 3, 3, 3]), t([0, 0.25, 1, 2, 0])),
        is: [1, 1.5, 3, 5, N],
        by: "by hand",
      },
      {
        run: (t) => {
          const w = t([-2.5, 0.25, 0.5, 2]);
          const y = ops.lerp(t([1, Infinity, -Infinity, 1]), t([Infinity, 1, 1, 3]), w);
          return grad(ops.sum(y), [w])[0];
        },
        is: [Infinity, -Infinity, Infinity, 2],
        by: "the slope is b − a, of the end that is not taken too",
      },
      {
        run: (t) => ops.lerp(t([16777216, 1]), t([1, 16777216]), 1),
        is: [1, 16777216],
        by: "both ends are met",
      },
    ],
    rejects: [
      {
        run: (t) => ops.lerp(t([1], "i32"), t([1], "i32"), 1),
        says: "lerp: dtype i32; expected f32, f64",
      },
      {
        run: (t) => ops.lerp(t([1, 2]), t([1, 2]), t([1, 2, 3])),
        says:
          "lerp: shapes [2] and [3] do not broadcast (2 vs 3); " +
          "expected equal sizes or 1 on each axis, counted from the last",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
