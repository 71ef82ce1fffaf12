import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { CLOSED_FORM, signed, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const CONSTANT = "depends on no value";

export const likeCases = {
  zerosLike: {
    calls: [{ inputs: [x(2, 0)], run: (a) => ops.zerosLike(a) }],
    golden: [{ run: (t) => ops.zerosLike(t([[1], [2]])), is: [[0], [0]], by: CLOSED_FORM }],
    rejects: [],
    gradient: CONSTANT,
  },
  onesLike: {
    calls: [{ inputs: [signed(3)], run: (a) => ops.add(a, ops.onesLike(a)) }],
    golden: [
      {
        run: (t) => ops.cast(ops.onesLike(t([1, 2]), { dtype: "bool" }), "i32"),
        is: [1, 1],
        by: CLOSED_FORM,
      },
    ],
    rejects: [],
    gradient: CONSTANT,
  },
  fullLike: {
    calls: [{ inputs: [signed(3)], run: (a) => ops.add(a, ops.fullLike(a, 7)) }],
    golden: [{ run: (t) => ops.fullLike(t([1, 2]), 2.5), is: [2.5, 2.5], by: CLOSED_FORM }],
    rejects: [
      {
        run: (t) => ops.fullLike(t([1]), "1" as never),
        says: 'fullLike: value "1"; expected a number',
        error: GradusError,
      },
    ],
    gradient: CONSTANT,
  },
} satisfies OpCases;
