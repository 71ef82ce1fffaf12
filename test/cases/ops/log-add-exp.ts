import { grad, type Tensor } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { binaryCalls, binaryRejects, N } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const [INF, LOG2] = [Number.POSITIVE_INFINITY, Math.LN2];

export const logAddExpCases = {
  logAddExp: {
    calls: binaryCalls(ops.logAddExp, (...shape) => ({ shape, low: -9, high: 9 })),
    golden: [
      {
        run: (t) =>
          ops.logAddExp(
            t([0, 3, 1000, -1000, INF, INF, -INF, -INF, N]),
            t([0, 1, 1000, 1000, INF, -INF, -INF, 2, 1]),
          ),
        is: [LOG2, 3 + Math.log1p(Math.exp(-2)), 1000 + LOG2, 1000, INF, INF, -INF, 2, N],
        by: "closed form",
      },
      {
        run: (t) => {
          const [a, b] = [t([INF, -INF, 5, -INF, 1]), t([INF, -INF, 5, 2, 1 + Math.log(3)])];
          return grad(ops.sum(ops.logAddExp(a, b)), [a])[0];
        },
        is: [0.5, 0.5, 0.5, 0, 0.25],
        by: "shares by hand",
      },
      {
        // σ(a − b) (1 − σ(a − b)), also where both are equal.
        run: (t) => {
          const a = t([5, 1]);
          const [first] = grad(ops.sum(ops.logAddExp(a, t([5, 1 + Math.log(3)]))), [a]) as [Tensor];
          return grad(ops.sum(first), [a])[0];
        },
        is: [0.25, 0.1875],
        by: "second slopes by hand",
      },
    ],
    rejects: [
      ...binaryRejects("logAddExp"),
      {
        run: (t) => ops.logAddExp(t([true]), t([true])),
        says: "logAddExp: dtype bool; expected f32, f64. cast it first",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
