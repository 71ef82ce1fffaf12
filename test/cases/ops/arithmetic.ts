import { DTypeError, GradusError, grad } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import {
  binaryCalls,
  binaryRejects,
  N,
  positive,
  signed,
  unaryCalls,
  unaryRejects,
} from "../../support/op-calls.ts";
import type { Call, OpCases } from "../../support/op-case.ts";

const intCalls = (calls: readonly Call[]) => calls.filter(({ inputs }) => inputs.length === 2);

export const arithmeticCases = {
  neg: {
    calls: [...unaryCalls(ops.neg), { inputs: [signed(7)], run: ops.neg }],
    golden: [{ run: (t) => ops.neg(t([1, -2, 0])), is: [-1, 2, 0], by: "definition" }],
    rejects: unaryRejects("neg", "f32, f64, i32"),
    gradient: true,
  },
  square: {
    calls: [...unaryCalls(ops.square), { inputs: [signed(7)], run: ops.square }],
    golden: [
      { run: (t) => ops.square(t([3, -0.5])), is: [9, 0.25], by: "definition" },
      { run: (t) => ops.square(t([65537], "i32")), is: [131073], by: "65537² mod 2³²" },
    ],
    rejects: unaryRejects("square", "f32, f64, i32, u32"),
    gradient: true,
  },
  reciprocal: {
    calls: unaryCalls(ops.reciprocal, positive),
    golden: [{ run: (t) => ops.reciprocal(t([2, -4])), is: [0.5, -0.25], by: "definition" }],
    rejects: unaryRejects("reciprocal"),
    gradient: true,
  },
  add: {
    calls: [...binaryCalls(ops.add), ...intCalls(binaryCalls(ops.add, signed))],
    golden: [
      {
        run: (t) => ops.add(t([1, 2]), t([[10], [20]])),
        is: [
          [11, 12],
          [21, 22],
        ],
        by: "by hand",
      },
      {
        run: (t) => ops.add(t([2147483647], "i32"), t([1], "i32")),
        is: [-2147483648],
        by: "modulo 2³²",
      },
    ],
    rejects: [
      {
        run: (t) => ops.add(t([1], "u8"), t([1], "u8")),
        says: "add: dtype u8; expected f32, f64, i32, u32. cast it first",
      },
      ...binaryRejects("add"),
      {
        run: (t) => ops.add(t([1, 2], "i32"), 0.5),
        says:
          "add: number 0.5 beside dtype i32; expected a value that i32 holds. " +
          "cast the tensor to f32",
      },
      {
        run: () => ops.add(1, 2 as never),
        says: "add: only numbers; expected at least one tensor. Use tensor(value)",
        error: DTypeError,
      },
    ],
    gradient: true,
  },
  sub: {
    calls: [...binaryCalls(ops.sub), ...intCalls(binaryCalls(ops.sub, signed))],
    golden: [
      { run: (t) => ops.sub(1, t([0.25, 3])), is: [0.75, -2], by: "by hand" },
      { run: (t) => ops.sub(t([0], "u32"), t([1], "u32")), is: [4294967295], by: "modulo 2³²" },
    ],
    rejects: binaryRejects("sub"),
    gradient: true,
  },
  mul: {
    calls: [...binaryCalls(ops.mul), ...intCalls(binaryCalls(ops.mul, signed))],
    golden: [
      { run: (t) => ops.mul(t([2, -3]), 0.5), is: [1, -1.5], by: "by hand" },
      {
        run: (t) => ops.mul(t([123456789], "i32"), t([987654321], "i32")),
        is: [-67153019],
        by: "121932631112635269 mod 2³²",
      },
    ],
    rejects: binaryRejects("mul"),
    gradient: true,
  },
  div: {
    calls: binaryCalls(ops.div, positive),
    golden: [{ run: (t) => ops.div(t([1, -3]), t([4, 2])), is: [0.25, -1.5], by: "by hand" }],
    rejects: [
      ...binaryRejects("div"),
      {
        run: (t) => ops.div(t([1], "i32"), t([2], "i32")),
        says: "div: dtype i32; expected f32, f64",
      },
    ],
    gradient: true,
  },
  maximum: {
    calls: [...binaryCalls(ops.maximum), ...intCalls(binaryCalls(ops.maximum, signed))],
    golden: [
      {
        run: (t) => ops.maximum(t([1, -3, N, 1]), t([4, -5, 1, N])),
        is: [4, -3, N, N],
        by: "by hand; NaN on either side stays",
      },
    ],
    rejects: binaryRejects("maximum"),
    gradient: true,
  },
  minimum: {
    calls: [...binaryCalls(ops.minimum), ...intCalls(binaryCalls(ops.minimum, signed))],
    golden: [
      {
        run: (t) => ops.minimum(t([1, -3, N, 1]), t([4, -5, 1, N])),
        is: [1, -5, N, N],
        by: "by hand; NaN on either side stays",
      },
    ],
    rejects: binaryRejects("minimum"),
    gradient: true,
  },
  clip: {
    calls: unaryCalls((a) => ops.clip(a, -0.5, 0.25)),
    golden: [
      { run: (t) => ops.clip(t([-2, 0, 2, N]), -1, 1), is: [-1, 0, 1, N], by: "by hand" },
      {
        run: (t) => {
          const a = t([-2, -1, 0, 1, 2]);
          return grad(ops.sum(ops.clip(a, -1, 1)), [a])[0];
        },
        is: [0, 1, 1, 1, 0],
        by: "it passes at the limits, as in PyTorch",
      },
    ],
    rejects: [
      {
        run: (t) => ops.clip(t([1]), 1, 0),
        says: "clip: low 1, high 0; expected low ≤ high",
        error: GradusError,
      },
      {
        run: (t) => ops.clip(t([true]), 0, 1),
        says: "clip: dtype bool; expected f32, f64, i32, u32. cast it first",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
