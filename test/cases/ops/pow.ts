import * as ops from "../../../src/ops/index.ts";
import { binaryCalls, binaryRejects, positive } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const powCases = {
  pow: {
    calls: binaryCalls(ops.pow, positive),
    golden: [
      {
        run: (t) => ops.pow(t([2, -2, 0, 9, 10]), t([10, 3, 0, 0.5, 2])),
        is: [1024, -8, 1, 3, 100],
        by: "by hand",
      },
    ],
    rejects: binaryRejects("pow"),
    gradient: true,
  },
} satisfies OpCases;
