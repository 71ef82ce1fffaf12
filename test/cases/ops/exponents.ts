import * as ops from "../../../src/ops/index.ts";
import { N, unaryRejects, viewCall } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const DIGITS = "40 digits in decimal arithmetic";

export const exponentsCases = {
  exp2: {
    calls: [viewCall(ops.exp2, -3, 3)],
    golden: [
      {
        run: (t) => ops.exp2(t([0, 10, -3, 0.5, -1.25])),
        is: [1, 1024, 0.125, Math.SQRT2, 0.42044820762685725],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("exp2"),
    gradient: true,
  },
  log2: {
    calls: [viewCall(ops.log2, 0.2, 3)],
    golden: [
      {
        run: (t) => ops.log2(t([1, 1024, 0.125, 3, 10, -1])),
        is: [0, 10, -3, 1.584962500721156, 3.321928094887362, N],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("log2"),
    gradient: true,
  },
  log10: {
    calls: [viewCall(ops.log10, 0.2, 3)],
    golden: [
      {
        run: (t) => ops.log10(t([1, 1000, 1e-3, 2, 0.5, -1])),
        is: [0, 3, -3, 0.3010299956639812, -0.3010299956639812, N],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("log10"),
    gradient: true,
  },
} satisfies OpCases;
