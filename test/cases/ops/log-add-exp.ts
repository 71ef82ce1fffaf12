import * as ops from "../../../src/ops/index.ts";
import { binaryCalls, binaryRejects, N } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const INF = Number.POSITIVE_INFINITY;

export const logAddExpCases = {
  logAddExp: {
    calls: binaryCalls(ops.logAddExp),
    golden: [
      {
        run: (t) => ops.logAddExp(t([0, 1, 1000, -1000]), t([0, 3, 0, -1001])),
        is: [Math.LN2, 3.1269280110429727, 1000, -999.6867383124818],
        by: "a + log(1 + e^(b − a)) by hand",
      },
      {
        run: (t) => {
          const limits = ops.logAddExp(t([INF, -INF, -INF, INF, N]), t([INF, -INF, 2, -INF, 0]));
          return ops.equal(limits, t([INF, -INF, 2, INF, N]));
        },
        is: [1, 1, 1, 1, 0],
        by: "limits",
      },
    ],
    rejects: binaryRejects("logAddExp"),
    gradient: true,
  },
} satisfies OpCases;
