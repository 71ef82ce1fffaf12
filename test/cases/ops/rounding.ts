import * as ops from "../../../src/ops/index.ts";
import { N, type Unary, unaryRejects } from "../../support/op-calls.ts";
import type { Call, OpCase, OpCases } from "../../support/op-case.ts";

/** Numbers of both signs on a view. */
const calls = (f: Unary): Call[] => [
  { inputs: [{ shape: [13, 5], low: -4, high: 4 }], run: (a) => f(ops.transpose(a)) },
];

const FROM = [1.5, -1.5, 0.5, -0.5, 2.5, -3.7, 2, 8388609, 1e20, N];

const rounded = (name: "ceil" | "floor" | "trunc" | "round", is: number[]): OpCase => ({
  calls: calls(ops[name]),
  golden: [
    { run: (t) => ops[name](t(FROM)), is: [...is, 8388609, 1e20, N], by: "IEEE 754" },
    {
      run: (t) => ops[name](t([-12345679, 16777217], "i32")),
      is: [-12345679, 16777217],
      by: "whole numbers stay",
    },
  ],
  rejects: unaryRejects(name, "f32, f64, i32, u32"),
  gradient: "0 everywhere",
});

export const roundingCases = {
  ceil: rounded("ceil", [2, -1, 1, 0, 3, -3, 2]),
  floor: rounded("floor", [1, -2, 0, -1, 2, -4, 2]),
  trunc: rounded("trunc", [1, -1, 0, 0, 2, -3, 2]),
  round: rounded("round", [2, -2, 0, 0, 2, -4, 2]),
  fract: {
    calls: calls(ops.fract),
    golden: [
      {
        run: (t) => ops.fract(t([2.25, -2.25, 3, -3, -1e-9, Number.POSITIVE_INFINITY, N])),
        is: [0.25, -0.25, 0, 0, -1e-9, N, N],
        by: "x − trunc(x), as torch.frac",
      },
    ],
    rejects: unaryRejects("fract"),
    gradient: true,
  },
} satisfies OpCases;
