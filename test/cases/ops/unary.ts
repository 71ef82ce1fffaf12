import * as ops from "../../../src/ops/index.ts";
import {
  CLOSED_FORM,
  N,
  positive,
  signed,
  unaryCalls,
  unaryRejects,
  x,
} from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const unaryCases = {
  abs: {
    calls: [...unaryCalls(ops.abs), { inputs: [signed(7)], run: ops.abs }],
    golden: [{ run: (t) => ops.abs(t([1, -2, 0])), is: [1, 2, 0], by: "definition" }],
    rejects: unaryRejects("abs", "f32, f64, i32"),
    gradient: true,
  },
  sign: {
    calls: [...unaryCalls(ops.sign), { inputs: [signed(7)], run: ops.sign }],
    golden: [{ run: (t) => ops.sign(t([3, -0.5, 0, N])), is: [1, -1, 0, N], by: "definition" }],
    rejects: unaryRejects("sign", "f32, f64, i32"),
    gradient: "0 everywhere",
  },
  exp: {
    calls: unaryCalls(ops.exp),
    golden: [{ run: (t) => ops.exp(t([0, 1, -1])), is: [1, Math.E, 1 / Math.E], by: CLOSED_FORM }],
    rejects: unaryRejects("exp"),
    gradient: true,
  },
  expm1: {
    calls: unaryCalls(ops.expm1),
    golden: [
      { run: (t) => ops.expm1(t([0, 1, 1e-8])), is: [0, Math.E - 1, 1e-8], by: "Taylor series" },
    ],
    rejects: unaryRejects("expm1"),
    gradient: true,
  },
  log: {
    calls: unaryCalls(ops.log, positive),
    golden: [{ run: (t) => ops.log(t([1, Math.E, 10])), is: [0, 1, Math.LN10], by: "ln 10" }],
    rejects: unaryRejects("log"),
    gradient: true,
  },
  log1p: {
    calls: unaryCalls(ops.log1p, positive),
    golden: [
      { run: (t) => ops.log1p(t([0, 1, 1e-8])), is: [0, Math.LN2, 1e-8], by: "Taylor series" },
    ],
    rejects: unaryRejects("log1p"),
    gradient: true,
  },
  sqrt: {
    calls: unaryCalls(ops.sqrt, positive),
    golden: [{ run: (t) => ops.sqrt(t([0, 4, 2])), is: [0, 2, Math.SQRT2], by: "closed form" }],
    rejects: unaryRejects("sqrt"),
    gradient: true,
  },
  sigmoid: {
    calls: unaryCalls(ops.sigmoid),
    golden: [
      {
        run: (t) => ops.sigmoid(t([0, Math.log(3), -Math.log(3)])),
        is: [0.5, 0.75, 0.25],
        by: "1 / (1 + 3^∓1)",
      },
    ],
    rejects: unaryRejects("sigmoid"),
    gradient: true,
  },
  tanh: {
    calls: unaryCalls(ops.tanh),
    golden: [{ run: (t) => ops.tanh(t([0, Math.log(2)])), is: [0, 0.6], by: "(2 − ½) / (2 + ½)" }],
    rejects: unaryRejects("tanh"),
    gradient: true,
  },
  relu: {
    calls: [...unaryCalls(ops.relu), { inputs: [signed(7)], run: ops.relu }],
    golden: [{ run: (t) => ops.relu(t([3, -0.5, 0, N])), is: [3, 0, 0, N], by: "definition" }],
    rejects: unaryRejects("relu", "f32, f64, i32"),
    gradient: true,
  },
  softplus: {
    calls: unaryCalls(ops.softplus),
    golden: [
      {
        run: (t) => ops.softplus(t([0, Math.log(3)])),
        is: [Math.LN2, Math.log(4)],
        by: "log(1 + eˣ)",
      },
    ],
    rejects: unaryRejects("softplus"),
    gradient: true,
  },
  logSigmoid: {
    calls: unaryCalls(ops.logSigmoid),
    golden: [
      {
        run: (t) => ops.logSigmoid(t([0, Math.log(3)])),
        is: [-Math.LN2, Math.log(0.75)],
        by: "log σ(x)",
      },
    ],
    rejects: unaryRejects("logSigmoid"),
    gradient: true,
  },
  sin: {
    calls: unaryCalls(ops.sin),
    golden: [
      { run: (t) => ops.sin(t([0, Math.PI / 6, -Math.PI / 2])), is: [0, 0.5, -1], by: "angles" },
    ],
    rejects: unaryRejects("sin"),
    gradient: true,
  },
  cos: {
    calls: unaryCalls(ops.cos),
    golden: [{ run: (t) => ops.cos(t([0, Math.PI / 3])), is: [1, 0.5], by: "angles" }],
    rejects: unaryRejects("cos"),
    gradient: true,
  },
  isNaN: {
    calls: unaryCalls(ops.isNaN),
    golden: [
      {
        run: (t) => ops.isNaN(t([Number.NaN, 1, Number.POSITIVE_INFINITY])),
        is: [1, 0, 0],
        by: "definition",
      },
    ],
    rejects: unaryRejects("isNaN"),
    gradient: "a bool",
  },
  isFinite: {
    calls: unaryCalls(ops.isFinite),
    golden: [
      {
        run: (t) => ops.isFinite(t([Number.NaN, 1, Number.NEGATIVE_INFINITY])),
        is: [0, 1, 0],
        by: "definition",
      },
    ],
    rejects: unaryRejects("isFinite"),
    gradient: "a bool",
  },
  isInf: {
    calls: [{ inputs: [x(13, 5)], run: (a) => ops.isInf(ops.div(1, ops.relu(a))) }],
    golden: [
      {
        run: (t) =>
          ops.isInf(t([Number.NaN, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])),
        is: [0, 0, 1, 1],
        by: "definition",
      },
    ],
    rejects: unaryRejects("isInf"),
    gradient: "a bool",
  },
} satisfies OpCases;
