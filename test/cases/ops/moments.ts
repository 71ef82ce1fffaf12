import { grad, type Tensor } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import type { Call, Input, OpCase } from "../../support/op-case.ts";

const x = (...shape: number[]): Input => ({ shape });

/** Both results in one tensor, so that both take part in values and gradients. */
function both(a: Tensor, options: object = {}): Tensor {
  const { mean, variance } = ops.moments(a, options);
  return ops.add(mean, ops.mul(variance, 3));
}

type Reduce = (a: Tensor, options?: object) => Tensor;

/** Axes of all kinds, and lengths around the switches between kernels. */
const calls = (f: Reduce): Call[] => [
  { inputs: [x()], run: (a) => f(a) },
  { inputs: [x(5)], run: (a) => f(a) },
  { inputs: [x(3, 4)], run: (a) => f(a, { axis: 0 }) },
  { inputs: [x(4, 3)], run: (a) => f(ops.transpose(a), { axis: 1 }) },
  { inputs: [x(3, 4, 5)], run: (a) => f(a, { axis: [0, 2], correction: 1 }) },
  { inputs: [x(3, 4, 5)], run: (a) => f(a, { axis: [1, -1], keepDims: true }) },
  ...[31, 32, 33, 63, 64, 65, 700].map((n) => ({
    inputs: [x(3, n)],
    run: (a: Tensor) => f(a, { axis: 1 }),
  })),
  { inputs: [x(70, 130)], run: (a) => f(a, { axis: 0 }) },
];

const rejects = (name: "moments" | "variance" | "std") => [
  {
    run: (t: (values: number[][]) => Tensor) => ops[name](t([[1, 2]]), { axis: 2 }),
    says: `${name}: axis 2; expected an integer in [-2, 1] for rank 2`,
  },
  {
    run: (t: (values: boolean[]) => Tensor) => ops[name](t([true, false])),
    says: `${name}: dtype bool; expected f32, f64. cast it first`,
  },
];

const BY = "NumPy, var([1, 2, 4, 9], ddof)";

export const momentsCases = {
  moments: {
    calls: [...calls(both), { inputs: [x(2, 8192)], run: (a) => both(a, { axis: 1 }) }],
    golden: [
      { run: (t) => ops.moments(t([1, 2, 4, 9])).mean, is: 4, by: BY },
      { run: (t) => ops.moments(t([1, 2, 4, 9])).variance, is: 9.5, by: BY },
      {
        run: (t) => ops.moments(t([1, 2, 4, 9]), { correction: 1 }).variance,
        is: 12.666666666666666,
        by: BY,
      },
      {
        run: (t) => ops.moments(t([1e4 + 1, 1e4 + 2, 1e4 + 3])).variance,
        is: 2 / 3,
        by: "by hand: far from zero",
      },
    ],
    rejects: [...rejects("moments")],
    gradient: true,
  },
  variance: {
    calls: calls(ops.variance),
    golden: [
      {
        run: (t) =>
          ops.variance(
            t([
              [1, 2],
              [4, 9],
            ]),
            { axis: 1 },
          ),
        is: [0.25, 6.25],
        by: BY,
      },
      { run: (t) => ops.variance(t([3])), is: 0, by: "of one element" },
      { run: (t) => ops.variance(t([3]), { correction: 1 }), is: Number.NaN, by: "NumPy: 0 / 0" },
      {
        run: (t) => ops.variance(t([[], []]), { axis: 1 }),
        is: [Number.NaN, Number.NaN],
        by: "NumPy",
      },
    ],
    rejects: [...rejects("variance")],
    gradient: true,
  },
  std: {
    calls: [
      { inputs: [x(3, 4, 5)], run: (a) => ops.std(a, { axis: [0, 2], correction: 1 }) },
      { inputs: [x(70, 13)], run: (a) => ops.std(a, { axis: 0, keepDims: true }) },
    ],
    golden: [
      { run: (t) => ops.std(t([1, 2, 4, 9])), is: Math.sqrt(9.5), by: BY },
      { run: (t) => ops.std(t([3]), { correction: 1 }), is: Number.NaN, by: "NumPy: 0 / 0" },
      {
        run: (t) => ops.std(t([[], []]), { axis: 1 }),
        is: [Number.NaN, Number.NaN],
        by: "NumPy: of nothing",
      },
      {
        run: (t) => {
          const a = t([
            [3, 3, 3],
            [1, 2, 3],
          ]);
          return grad(ops.sum(ops.std(a, { axis: 1 })), [a])[0];
        },
        is: [[0, 0, 0], [-1, 0, 1].map((d) => d / Math.sqrt(6))],
        by: "(x − m) / (n σ), and 0 where σ is",
      },
    ],
    rejects: [...rejects("std")],
    gradient: true,
  },
} satisfies Record<string, OpCase>;
