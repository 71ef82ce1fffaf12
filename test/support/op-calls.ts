import { GradusError, type Tensor } from "../../src/index.ts";
import * as ops from "../../src/ops/index.ts";
import type { Call, Input, Make, Reject } from "./op-case.ts";

export const x = (...shape: number[]): Input => ({ shape });
export const positive = (...shape: number[]): Input => ({ shape, low: 0.2, high: 3 });
export const whole = (high: number, ...shape: number[]): Input => ({
  shape,
  dtype: "i32",
  low: 0,
  high,
});
export const signed = (...shape: number[]): Input => ({ shape, dtype: "i32", low: -9, high: 9 });
export const bools = (...shape: number[]): Input => ({ shape, dtype: "bool", low: 0, high: 2 });

export type Unary = (x: Tensor) => Tensor;
export type Binary = (a: Tensor | number, b: Tensor | number) => Tensor;

/** Shapes that every elementwise op meets: scalar, empty, views, sizes around a workgroup. */
export function unaryCalls(f: Unary, input: (...shape: number[]) => Input = x): Call[] {
  return [
    ...[[], [1], [0], [3, 0], [63], [64], [65], [5, 7, 3]].map((shape) => ({
      inputs: [input(...shape)],
      run: f,
    })),
    { inputs: [input(4, 6)], run: (a) => f(ops.transpose(a)) },
    { inputs: [input(9, 4)], run: (a) => f(ops.slice(a, [{ start: 1, step: 2 }, { end: -1 }])) },
    { inputs: [input(5, 1)], run: (a) => f(ops.broadcastTo(a, [2, 5, 3])) },
  ];
}

/** One call that shows what an elementwise op computes: a view of many numbers of an interval. */
export const viewCall = (f: Unary, low: number, high: number): Call => ({
  inputs: [{ shape: [3, 65], low, high }],
  run: (a) => f(ops.transpose(a)),
});

export function binaryCalls(f: Binary, a = x, b = a): Call[] {
  const pairs = [
    [[], []],
    [[4], []],
    [[3, 4], [4]],
    [
      [3, 1],
      [1, 4],
    ],
    [
      [2, 3, 4],
      [3, 1],
    ],
    [
      [0, 3],
      [1, 3],
    ],
    [
      [65, 3],
      [65, 3],
    ],
  ];
  return [
    ...pairs.map(([p, q]) => ({ inputs: [a(...p), b(...q)], run: f })),
    { inputs: [a(4, 3), b(3, 4)], run: (p, q) => f(ops.transpose(p), q) },
    { inputs: [a(4, 3)], run: (p) => f(p, 0.5) },
    { inputs: [b(4, 3)], run: (p) => f(2, p) },
  ];
}

export const unaryRejects = (name: keyof typeof ops, dtypes = "f32, f64"): Reject[] => [
  {
    run: (t) => (ops[name] as Unary)(t([true, false])),
    says: `${name}: dtype bool; expected ${dtypes}. cast it first`,
  },
];

export const binaryRejects = (name: keyof typeof ops): Reject[] => [
  {
    run: (t) => (ops[name] as Binary)(t([1, 2]), t([1, 2, 3])),
    says:
      `${name}: shapes [2] and [3] do not broadcast (2 vs 3); ` +
      "expected equal sizes or 1 on each axis, counted from the last",
  },
  {
    run: (t) => (ops[name] as Binary)(t([1, 2]), t([1, 2], "u32")),
    says: `${name}: dtypes FLOAT and u32 differ; expected one dtype. cast one of them`,
  },
];

export const axisCalls = (f: (a: Tensor, options?: object) => Tensor, input = x): Call[] => [
  { inputs: [input(5)], run: (a) => f(a) },
  { inputs: [input(3, 4)], run: (a) => f(a, { axis: 0 }) },
  { inputs: [input(3, 4)], run: (a) => f(a, { axis: -1 }) },
  { inputs: [input(4, 3)], run: (a) => f(ops.transpose(a), { axis: 1 }) },
  // Lengths around the switches between kernels.
  ...[63, 64, 65, 127, 128, 129, 700].map((n) => ({
    inputs: [input(3, n)],
    run: (a: Tensor) => f(a, { axis: 1 }),
    scale: Math.max(1, Math.sqrt(n) / 2),
  })),
  { inputs: [input(70, 130)], run: (a) => f(a, { axis: 0 }), scale: 6 },
];

export const manyAxes = (f: (a: Tensor, options?: object) => Tensor, input = x): Call[] => [
  ...axisCalls(f, input),
  { inputs: [input()], run: (a) => f(a) },
  { inputs: [input(3, 4, 5)], run: (a) => f(a, { axis: [0, 2] }) },
  { inputs: [input(3, 4, 5)], run: (a) => f(a, { axis: [1, -1], keepDims: true }) },
  { inputs: [input(2, 3)], run: (a) => f(a, { axis: [] }) },
];

export const axisReject = (name: keyof typeof ops): Reject => ({
  run: (t) => (ops[name] as (a: Tensor, o: object) => Tensor)(t([[1, 2]]), { axis: 2 }),
  says: `${name}: axis 2; expected an integer in [-2, 1] for rank 2`,
});

export const CLOSED_FORM = "closed form";
export const N = Number.NaN;

export function like(a: Tensor) {
  return { dtype: a.dtype, device: a.device };
}

/** Calls with a text in the place of each number among an op's options. */
export const texts = (
  op: string,
  names: readonly string[],
  run: (options: object, t: Make) => unknown,
): Reject[] =>
  names.map((name) => ({
    run: (t) => run({ [name]: "1" }, t),
    says: `${op}: ${name} "1"; expected a number`,
    error: GradusError,
  }));
