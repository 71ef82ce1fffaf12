import * as ops from "../../../src/ops/index.ts";
import { unaryRejects, viewCall } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const DIGITS = "40 digits in decimal arithmetic";

export const errorFunctionCases = {
  erf: {
    calls: [viewCall(ops.erf, -3, 3)],
    golden: [
      {
        run: (t) => ops.erf(t([0, 0.5, -1.5, 3, 30])),
        is: [0, 0.5204998778130465, -0.9661051464753108, 0.9999779095030014, 1],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("erf"),
    gradient: true,
  },
  erfc: {
    calls: [viewCall(ops.erfc, -3, 3)],
    golden: [
      {
        run: (t) => ops.erfc(t([0, 0.5, -1.5, 3, 30, -30])),
        is: [1, 0.4795001221869535, 1.9661051464753108, 0.00002209049699858544, 0, 2],
        by: DIGITS,
      },
      {
        run: (t) => ops.log(ops.erfc(t([9]))),
        is: [Math.log(4.13703174651381e-37)],
        by: "a small value, where its digits show",
      },
    ],
    rejects: unaryRejects("erfc"),
    gradient: true,
  },
  erfInv: {
    calls: [viewCall(ops.erfInv, -0.95, 0.95)],
    golden: [
      {
        run: (t) => ops.erfInv(t([0, 0.5, -0.9, 0.99])),
        is: [0, 0.4769362762044699, -1.1630871536766743, 1.8213863677184496],
        by: "the values that tables have",
      },
    ],
    rejects: unaryRejects("erfInv"),
    gradient: true,
  },
  normalCdf: {
    calls: [viewCall(ops.normalCdf, -3, 3)],
    golden: [
      {
        run: (t) => ops.normalCdf(t([0, 0.5, -1.5, 3, 50, -50])),
        is: [0.5, 0.6914624612740131, 0.06680720126885807, 0.9986501019683699, 1, 0],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("normalCdf"),
    gradient: true,
  },
} satisfies OpCases;
