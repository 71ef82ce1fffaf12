import { grad, type Tensor } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { axisReject, N, unaryRejects, x } from "../../support/op-calls.ts";
import type { Input, OpCases } from "../../support/op-case.ts";

/** Numbers whose products neither vanish nor grow. */
const near = (...shape: number[]): Input => ({ shape, low: 0.8, high: 1.25 });

const MAX = 2 ** 31 - 1;

export const prodCases = {
  prod: {
    calls: [
      { inputs: [x(2, 7, 3)], run: (a) => ops.prod(a, { axis: [0, -1], keepDims: true }) },
      { inputs: [x(6)], run: (a) => ops.prod(ops.where(ops.less(ops.abs(a), 0.4), 0, a)) },
      // Lengths around the switches between kernels.
      ...[64, 700].map((n) => ({
        inputs: [near(3, n)],
        run: (a: Tensor) => ops.prod(a, { axis: 1 }),
        scale: Math.sqrt(n),
      })),
      { inputs: [near(70, 13)], run: (a) => ops.prod(a, { axis: 0 }), scale: 8 },
    ],
    golden: [
      {
        run: (t) =>
          ops.prod(
            t([
              [1, 2, 3],
              [4, 0, 5],
            ]),
            { axis: 1 },
          ),
        is: [6, 0],
        by: "by hand",
      },
      { run: (t) => ops.prod(t([[], []]), { axis: 1 }), is: [1, 1], by: "of nothing" },
      { run: (t) => ops.prod(t([2, N])), is: N, by: "NaN stays" },
      {
        run: (t) =>
          ops.prod(
            t(
              [
                [65537, 65537, 3],
                [-7, MAX, 1],
              ],
              "i32",
            ),
            { axis: 1 },
          ),
        is: [393219, -2147483641],
        by: "modulo 2³²",
      },
      {
        run: (t) => {
          const a = t([
            [2, 3, 4],
            [2, 0, 4],
            [0, 3, 0],
          ]);
          return grad(ops.sum(ops.prod(a, { axis: 1 })), [a])[0];
        },
        is: [
          [12, 8, 6],
          [0, 8, 0],
          [0, 0, 0],
        ],
        by: "the products of the others",
      },
      {
        // ∂²(abc) by a, of which the sum of slopes by b is weighted: ∂(ac)/∂a = c, with b = 0.
        run: (t) => {
          const a = t([2, 0, 4]);
          const [first] = grad(ops.prod(a), [a]) as [Tensor];
          return grad(ops.sum(ops.mul(first, t([1, 10, 100]))), [a])[0];
        },
        is: [40, 204, 20],
        by: "the products of the others without one more",
      },
    ],
    rejects: [axisReject("prod"), ...unaryRejects("prod", "f32, f64, i32, u32")],
    gradient: true,
  },
} satisfies OpCases;
