import { GradusError, grad, type Tensor } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { type Unary, unaryCalls, unaryRejects, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const slopeOf = (f: Unary, a: Tensor): Tensor => grad(ops.sum(f(a)), [a])[0];

const byTanh: Unary = (a) => ops.gelu(a, { approximate: "tanh" });

const geluByTanh = (v: number) =>
  (v / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));

export const activationsCases = {
  leakyRelu: {
    calls: [
      ...unaryCalls(ops.leakyRelu),
      { inputs: [x(9)], run: (a) => ops.leakyRelu(a, 0.5) },
      { inputs: [x(9)], run: (a) => ops.leakyRelu(a, -2) },
    ],
    golden: [
      { run: (t) => ops.leakyRelu(t([3, -2, 0])), is: [3, -0.02, 0], by: "definition" },
      { run: (t) => ops.leakyRelu(t([3, -2, 0]), 0.25), is: [3, -0.5, 0], by: "definition" },
      {
        run: (t) => slopeOf((a) => ops.leakyRelu(a, 0.25), t([3, -2, 0])),
        is: [1, 0.25, 0.25],
        by: "1 or the slope",
      },
    ],
    rejects: [
      ...unaryRejects("leakyRelu"),
      {
        run: (t) => ops.leakyRelu(t([1]), Number.NaN),
        says: "leakyRelu: slope NaN; expected a finite number",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  elu: {
    calls: [...unaryCalls(ops.elu), { inputs: [x(9)], run: (a) => ops.elu(a, 0.5) }],
    golden: [
      {
        run: (t) => ops.elu(t([2, -Math.LN2, 0, -1000])),
        is: [2, -0.5, 0, -1],
        by: "exp(x) - 1 below 0",
      },
      { run: (t) => ops.elu(t([2, -Math.LN2]), 3), is: [2, -1.5], by: "3 (exp(x) - 1) below 0" },
      {
        run: (t) => slopeOf((a) => ops.elu(a, 3), t([1000, 2, 0, -Math.LN2, -1000])),
        is: [1, 1, 3, 1.5, 0],
        by: "1, or 3 exp(x)",
      },
    ],
    rejects: [
      ...unaryRejects("elu"),
      {
        run: (t) => ops.elu(t([1]), Number.POSITIVE_INFINITY),
        says: "elu: alpha Infinity; expected a finite number",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  gelu: {
    calls: [
      ...unaryCalls((a) => ops.gelu(a)),
      { inputs: [{ shape: [40], low: -6, high: 6 }], run: (a) => ops.gelu(a) },
      { inputs: [{ shape: [40], low: -6, high: 6 }], run: byTanh },
    ],
    golden: [
      {
        run: (t) => byTanh(t([0, 1, -1, 3, -3])),
        is: [0, 1, -1, 3, -3].map(geluByTanh),
        by: "the form with tanh in float64",
      },
      {
        run: (t) => byTanh(t([1e4, -1e4, 89, -89])),
        is: [1e4, 0, 89, 0],
        by: "limits",
      },
      { run: (t) => slopeOf(byTanh, t([0, 1e4, -1e4])), is: [0.5, 1, 0], by: "limits" },
      {
        run: (t) => ops.gelu(t([0, 1, -1, 3, -3])),
        is: [0, 0.8413447460685429, -0.15865525393145705, 2.99595030590511, -0.0040496940948902835],
        by: "40 digits in decimal arithmetic",
      },
      {
        run: (t) => ops.gelu(t([1e4, -1e4, 89, -89])),
        is: [1e4, 0, 89, 0],
        by: "limits",
      },
      { run: (t) => slopeOf(ops.gelu, t([0, 1e4, -1e4])), is: [0.5, 1, 0], by: "limits" },
    ],
    rejects: [
      ...unaryRejects("gelu"),
      {
        run: (t) => ops.gelu(t([1]), { approximate: "tan" as "tanh" }),
        says: 'gelu: approximate tan; expected none, tanh. Did you mean "tanh"?',
        error: GradusError,
      },
    ],
    gradient: true,
  },
  silu: {
    calls: [
      ...unaryCalls(ops.silu),
      { inputs: [{ shape: [40], low: -9, high: 9 }], run: ops.silu },
    ],
    golden: [
      {
        run: (t) => ops.silu(t([0, Math.log(3), -Math.log(3)])),
        is: [0, 0.75 * Math.log(3), -0.25 * Math.log(3)],
        by: "sigmoid(log 3) = 3/4",
      },
      { run: (t) => ops.silu(t([1e4, -1e4, 120, -120])), is: [1e4, 0, 120, 0], by: "limits" },
      { run: (t) => slopeOf(ops.silu, t([0, 1e4, -1e4])), is: [0.5, 1, 0], by: "limits" },
    ],
    rejects: unaryRejects("silu"),
    gradient: true,
  },
} satisfies OpCases;
