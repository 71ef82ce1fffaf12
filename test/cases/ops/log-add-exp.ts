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
