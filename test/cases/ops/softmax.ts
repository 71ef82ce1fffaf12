import * as ops from "../../../src/ops/index.ts";
import { axisCalls, axisReject, manyAxes, unaryRejects } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const softmaxCases = {
  softmax: {
    calls: axisCalls(ops.softmax),
    golden: [
      {
        run: (t) => ops.softmax(t([Math.log(1), Math.log(2), Math.log(5)])),
        is: [0.125, 0.25, 0.625],
        by: "1/8, 2/8, 5/8",
      },
    ],
    rejects: [axisReject("softmax"), ...unaryRejects("softmax")],
    gradient: true,
  },
  logSoftmax: {
    calls: axisCalls(ops.logSoftmax),
    golden: [
      {
        run: (t) => ops.logSoftmax(t([Math.log(1), Math.log(2), Math.log(5)])),
        is: [Math.log(0.125), Math.log(0.25), Math.log(0.625)],
        by: "1/8, 2/8, 5/8",
      },
    ],
    rejects: [axisReject("logSoftmax"), ...unaryRejects("logSoftmax")],
    gradient: true,
  },
  logSumExp: {
    calls: manyAxes(ops.logSumExp),
    golden: [
      {
        run: (t) => ops.logSumExp(t([Math.log(1), Math.log(2), Math.log(5)])),
        is: Math.log(8),
        by: "log(1 + 2 + 5)",
      },
    ],
    rejects: [axisReject("logSumExp")],
    gradient: true,
  },
} satisfies OpCases;
