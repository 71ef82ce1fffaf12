import * as ops from "../../../src/ops/index.ts";
import { N, unaryRejects, viewCall } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const DIGITS = "40 digits in decimal arithmetic";

export const hyperbolicCases = {
  sinh: {
    calls: [viewCall(ops.sinh, -3, 3)],
    golden: [
      {
        run: (t) => ops.sinh(t([0, 1, -0.25, 0.001953125])),
        is: [0, 1.1752011936438014, -0.2526123168081683, 0.0019531262417636698],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("sinh"),
    gradient: true,
  },
  cosh: {
    calls: [viewCall(ops.cosh, -3, 3)],
    golden: [
      {
        run: (t) => ops.cosh(t([0, 1, -0.25, 0.001953125])),
        is: [1, 1.5430806348152437, 1.0314130998795732, 1.0000019073492392],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("cosh"),
    gradient: true,
  },
  asinh: {
    calls: [viewCall(ops.asinh, -3, 3)],
    golden: [
      {
        run: (t) => ops.asinh(t([0, 1, -0.25, 1000])),
        is: [0, 0.881373587019543, -0.24746646154726346, 7.600902709541988],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("asinh"),
    gradient: true,
  },
  acosh: {
    calls: [viewCall(ops.acosh, 1.2, 4)],
    golden: [
      {
        run: (t) => ops.acosh(t([1, 2, 1.0009765625, 1000, 0.5, -2])),
        is: [0, 1.3169578969248168, 0.044190578083110096, 7.600902209541989, N, N],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("acosh"),
    gradient: true,
  },
  atanh: {
    calls: [viewCall(ops.atanh, -0.9, 0.9)],
    golden: [
      {
        run: (t) => ops.atanh(t([0, 0.5, -0.25, 0.9990234375, 1.5, -2])),
        is: [0, 0.5493061443340549, -0.25541281188299536, 3.8120652928306447, N, N],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("atanh"),
    gradient: true,
  },
} satisfies OpCases;
