import * as ops from "../../../src/ops/index.ts";
import { bools, signed, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const whereCases = {
  where: {
    calls: [
      { inputs: [bools(3, 4), x(3, 4), x(4)], run: (c, a, b) => ops.where(c, a, b) },
      { inputs: [bools(4), x(3, 4)], run: (c, a) => ops.where(c, a, 0) },
      { inputs: [bools(2, 1), signed(3), signed(1)], run: (c, a, b) => ops.where(c, a, b) },
    ],
    golden: [
      {
        run: (t) => ops.where(t([true, false]), t([1, 2]), t([3, 4])),
        is: [1, 4],
        by: "definition",
      },
    ],
    rejects: [
      {
        run: (t) => ops.where(t([1]), t([1]), 0),
        says: "where: condition has dtype FLOAT; expected bool",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
