import { grad, ShapeError, type Tensor } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import type { Call, Input, Make, OpCase, Reject } from "../../support/op-case.ts";

/** So far from each other that a small step changes no order. */
const x = (...shape: number[]): Input => ({ shape, low: -1000, high: 1000 });
const signed = (...shape: number[]): Input => ({ shape, dtype: "i32", low: -4, high: 4 });
const whole = (...shape: number[]): Input => ({ shape, dtype: "u32", low: 0, high: 9 });
const bools = (...shape: number[]): Input => ({ shape, dtype: "bool", low: 0, high: 2 });

type Along = (a: Tensor, options?: { axis?: number; descending?: boolean }) => Tensor;

/** Axes, views, empty ones, and lengths around the switches between kernels and programs. */
const calls = (f: Along): Call[] => [
  { inputs: [x(1)], run: (a) => f(a) },
  { inputs: [x(0)], run: (a) => f(a) },
  { inputs: [x(3, 0)], run: (a) => f(a) },
  { inputs: [x(0, 3)], run: (a) => f(a, { axis: 1 }) },
  { inputs: [x(5, 1)], run: (a) => f(a) },
  { inputs: [x(4, 3)], run: (a) => f(a, { axis: 0 }) },
  { inputs: [x(2, 5, 3)], run: (a) => f(ops.transpose(a), { axis: -1, descending: true }) },
  { inputs: [x(70, 4)], run: (a) => f(a) },
  ...[64, 65, 256, 257].map((n) => ({ inputs: [x(2, n)], run: (a: Tensor) => f(a) })),
  { inputs: [x(2, 400)], run: (a) => f(a, { descending: true }) },
];
/** Many equal elements, of other dtypes. */
const equals = (f: Along): Call[] =>
  [signed(3, 70), whole(2, 300), bools(3, 20)].map((input) => ({
    inputs: [input],
    run: (a) => f(a, { descending: input.dtype === "i32" }),
  }));

const rejects = (name: "sort" | "argsort"): Reject[] => [
  {
    run: (t) => ops[name](t([[1, 2]]), { axis: 2 }),
    says: `${name}: axis 2; expected an integer in [-2, 1] for rank 2`,
  },
  {
    run: (t) => ops[name](t([1, 2], "u8")),
    says: `${name}: dtype u8; expected f32, f64, i32, u32, bool. cast it first`,
  },
];

const nan = Number.NaN;
const NaNs = [2, nan, -1, 9, 3, nan, -9];
const infinities = [2, nan, -1, Number.POSITIVE_INFINITY, 3, nan, Number.NEGATIVE_INFINITY];

const k = (k: number, options?: { axis?: number; largest?: boolean }) => (a: Tensor) =>
  ops.topK(a, k, options).values;
const wrongK = (k: number): Reject => ({
  run: (t) => ops.topK(t([[1, 2, 3]]), k),
  says: `topK: k ${k}; expected an integer in [0, 3], the size of axis 1`,
  error: ShapeError,
});

export const sortCases = {
  sort: {
    calls: [
      ...calls((a, options) => ops.sort(a, options).values),
      ...equals((a, o) => ops.sort(a, o).values),
    ],
    golden: [
      {
        run: (t) => ops.sort(t(NaNs)).values,
        is: [-9, -1, 2, 3, 9, nan, nan],
        by: "NumPy: NaN last",
      },
      {
        run: (t) => ops.sort(t(NaNs), { descending: true }).values,
        is: [9, 3, 2, -1, -9, nan, nan],
        by: "NaN last in both directions",
      },
      {
        run: (t) =>
          ops.sort(
            t([
              [3, 1],
              [2, 5],
              [1, 4],
            ]),
            { axis: 0 },
          ).values,
        is: [
          [1, 1],
          [2, 4],
          [3, 5],
        ],
        by: "NumPy",
      },
      {
        run: (t) => ops.sort(t([true, false, true, false])).values,
        is: [0, 0, 1, 1],
        by: "by hand",
      },
      {
        run: (t) => {
          const [x, w] = [
            t([
              [3, 1],
              [2, 5],
            ]),
            t([
              [1, 2],
              [3, 4],
            ]),
          ];
          const [slope] = grad(ops.sum(ops.mul(w, ops.pow(ops.sort(x).values, 3))), [x]);
          return grad(ops.sum(ops.mul(slope, w)), [x])[0];
        },
        is: [
          [36, 12],
          [108, 480],
        ],
        by: "by hand: 6·x·w·w, the weight of x's place among the sorted and that of where it lies",
      },
    ],
    rejects: rejects("sort"),
    gradient: true,
  },
  argsort: {
    calls: [...calls(ops.argsort), ...equals(ops.argsort)],
    golden: [
      {
        run: (t) => ops.argsort(t(infinities)),
        is: [6, 2, 0, 4, 3, 1, 5],
        by: "NumPy, kind=stable",
      },
      {
        run: (t) => ops.argsort(t(infinities), { descending: true }),
        is: [3, 4, 0, 2, 6, 1, 5],
        by: "NaN last in both directions",
      },
      {
        run: (t) => ops.argsort(t([0, 1, -0, 1, 0]), { descending: true }),
        is: [1, 3, 0, 2, 4],
        by: "stable: equal ones stay in their order, 0 and −0 too",
      },
      {
        run: (t) => ops.argsort(t([-2147483648, 2147483647, -1, 0], "i32")),
        is: [0, 2, 3, 1],
        by: "the ends of i32",
      },
      {
        run: (t) => ops.argsort(t([4294967295, 0, 2147483648], "u32")),
        is: [1, 2, 0],
        by: "the ends of u32",
      },
    ],
    rejects: rejects("argsort"),
    gradient: "whole numbers",
  },
  topK: {
    calls: [
      { inputs: [x(7)], run: k(3) },
      { inputs: [x(7)], run: k(0) },
      { inputs: [x(0)], run: k(0) },
      { inputs: [x(3, 5)], run: k(5) },
      { inputs: [x(5, 4, 3)], run: k(2, { axis: 1, largest: false }) },
      { inputs: [x(2, 700)], run: k(9) },
      { inputs: [x(2, 300)], run: k(100, { largest: false }) },
      { inputs: [signed(3, 70)], run: (a) => ops.topK(a, 20).indices },
    ],
    golden: [
      { run: (t) => ops.topK(t(NaNs), 3).values, is: [9, 3, 2], by: "by hand" },
      { run: (t) => ops.topK(t(NaNs), 3, { sorted: false }).indices, is: [3, 4, 0], by: "by hand" },
      {
        run: (t) => ops.topK(t([5, 5, 1, 5]), 2).indices,
        is: [0, 1],
        by: "of equal ones the first",
      },
      {
        run: (t) => ops.topK(t(Array.from({ length: 300 }, (_, i) => i)), 65).values,
        is: Array.from({ length: 65 }, (_, i) => 299 - i),
        by: "so many that all are sorted",
      },
      { run: (t) => ops.topK(t(NaNs), 7).indices, is: [3, 4, 0, 2, 6, 1, 5], by: "NaN last" },
      ...(["values", "indices"] as const).map((what) => ({
        run: (t: Make) => {
          const x = t([
            [3, 1, 2],
            [1, 5, 0],
          ]);
          return ops.topK(x, 1, { axis: 0, largest: false })[what];
        },
        is: what === "values" ? [[1, 1, 0]] : [[1, 0, 1]],
        by: "by hand",
      })),
    ],
    rejects: [
      wrongK(4),
      wrongK(1.5),
      wrongK(-1),
      {
        run: (t) => ops.topK(t([1]), 1, { axis: 1 }),
        says: "topK: axis 1; expected an integer in [-1, 0] for rank 1",
      },
    ],
    gradient: true,
  },
  kthValue: {
    calls: [
      { inputs: [x(3, 9)], run: (a) => ops.kthValue(a, 2).values },
      {
        inputs: [x(3, 5)],
        run: (a) => ops.kthValue(ops.transpose(a), 5, { axis: 0, keepDims: true }).values,
      },
      { inputs: [whole(9)], run: (a) => ops.kthValue(a, 5).indices },
      { inputs: [x(0, 2)], run: (a) => ops.kthValue(a, 1).values },
    ],
    golden: [
      {
        run: (t) => {
          const rows = t([
            [3, 1, 2, 1],
            [Number.NaN, 5, 4, 6],
          ]);
          const { values, indices } = ops.kthValue(rows, 2);
          return ops.stack([values, ops.cast(indices, values.dtype)]);
        },
        is: [
          [1, 5],
          [3, 1],
        ],
        by: "by hand; of equal ones the first comes first",
      },
    ],
    rejects: [
      {
        run: (t) => ops.kthValue(t([1, 2]), 3),
        says: "kthValue: k 3; expected an integer in [1, 2], the size of axis 0",
      },
      {
        run: (t) => ops.kthValue(t([1, 2]), 0),
        says: "kthValue: k 0; expected an integer in [1, 2], the size of axis 0",
      },
    ],
    gradient: true,
  },
} satisfies Record<string, OpCase>;
