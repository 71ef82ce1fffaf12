import * as ops from "../../../src/ops/index.ts";
import { bools, signed, whole, x } from "../../support/op-calls.ts";
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
  maskedFill: {
    calls: [
      {
        inputs: [x(3, 4), bools(4), x()],
        run: (a, mask, value) => ops.maskedFill(a, mask, value),
      },
      { inputs: [whole(9, 3), bools(3)], run: (a, mask) => ops.maskedFill(a, mask, -1) },
      { inputs: [x(0, 2), bools(2)], run: (a, mask) => ops.maskedFill(a, mask, 1) },
    ],
    golden: [
      {
        run: (t) => ops.maskedFill(t([1, Number.NaN]), t([false, true]), -9),
        is: [1, -9],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.maskedFill(t([1]), t([true, false]), 0),
        says: "maskedFill: mask [2] for [1]; expected one that broadcasts to it",
      },
      {
        run: (t) => ops.maskedFill(t([1]), t([1]), 0),
        says: "maskedFill: mask has dtype FLOAT; expected bool",
      },
      {
        run: (t) => ops.maskedFill(t([1]), t([true]), t([1])),
        says: "maskedFill: value [1]; expected a number or a scalar",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
