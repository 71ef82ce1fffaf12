import { DTypeError, GradusError, grad, type Tensor } from "../../src/index.ts";
import * as ops from "../../src/ops/index.ts";
import type { Call, Golden, Input, Make, OpCase, Reject } from "../support/op-case.ts";

const x = (...shape: number[]): Input => ({ shape });
const positive = (...shape: number[]): Input => ({ shape, low: 0.2, high: 3 });
const whole = (high: number, ...shape: number[]): Input => ({ shape, dtype: "i32", low: 0, high });
const signed = (...shape: number[]): Input => ({ shape, dtype: "i32", low: -9, high: 9 });
const bools = (...shape: number[]): Input => ({ shape, dtype: "bool", low: 0, high: 2 });

type Unary = (x: Tensor) => Tensor;
type Binary = (a: Tensor | number, b: Tensor | number) => Tensor;

/** Shapes that every elementwise op meets: scalar, empty, views, sizes around a workgroup. */
function unaryCalls(f: Unary, input: (...shape: number[]) => Input = x): Call[] {
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

function binaryCalls(f: Binary, a = x, b = a): Call[] {
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

const intCalls = (calls: readonly Call[]) => calls.filter(({ inputs }) => inputs.length === 2);

const unaryRejects = (name: keyof typeof ops, dtypes = "f32, f64"): Reject[] => [
  {
    run: (t) => (ops[name] as Unary)(t([true, false])),
    says: `${name}: dtype bool; expected ${dtypes}. cast it first`,
  },
];

const binaryRejects = (name: keyof typeof ops): Reject[] => [
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

const compare = (name: keyof typeof ops, is: number[]): OpCase => ({
  calls: [
    ...binaryCalls(ops[name] as Binary).filter(({ inputs }) => inputs.length === 2),
    { inputs: [signed(5, 4), signed(4)], run: (a, b) => (ops[name] as Binary)(a, b) },
  ],
  golden: [
    { run: (t) => (ops[name] as Binary)(t([1, 2, 3]), 2), is, by: "definition" },
    {
      run: (t) => (ops[name] as Binary)(t([1, 2, 3], "i32"), t([2], "i32")),
      is,
      by: "definition",
    },
  ],
  rejects: binaryRejects(name),
  gradient: "a bool",
});

const logical = (name: "logicalAnd" | "logicalOr", is: number[]): OpCase => ({
  calls: [{ inputs: [bools(3, 4), bools(4)], run: (a, b) => ops[name](a, b) }],
  golden: [
    {
      run: (t) => ops[name](t([false, false, true, true]), t([false, true, false, true])),
      is,
      by: "truth table",
    },
  ],
  rejects: [{ run: (t) => ops[name](t([1]), t([1])), says: `${name}: dtype FLOAT; expected bool` }],
  gradient: "a bool",
});

const axisCalls = (f: (a: Tensor, options?: object) => Tensor, input = x): Call[] => [
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

const manyAxes = (f: (a: Tensor, options?: object) => Tensor, input = x): Call[] => [
  ...axisCalls(f, input),
  { inputs: [input()], run: (a) => f(a) },
  { inputs: [input(3, 4, 5)], run: (a) => f(a, { axis: [0, 2] }) },
  { inputs: [input(3, 4, 5)], run: (a) => f(a, { axis: [1, -1], keepDims: true }) },
  { inputs: [input(2, 3)], run: (a) => f(a, { axis: [] }) },
];

const axisReject = (name: keyof typeof ops): Reject => ({
  run: (t) => (ops[name] as (a: Tensor, o: object) => Tensor)(t([[1, 2]]), { axis: 2 }),
  says: `${name}: axis 2; expected an integer in [-2, 1] for rank 2`,
});

/** NumPy's `numpy.arange(6)[start:end:step]`. */
const sliceGoldens: Golden[] = (
  [
    [{ start: 4, end: 99 }, [4, 5]],
    [{ start: -99, end: 2 }, [0, 1]],
    [{ start: 6 }, []],
    [{ start: 4, end: 2 }, []],
    [{ start: -2, end: -1 }, [4]],
    [{ step: -1 }, [5, 4, 3, 2, 1, 0]],
    [{ step: -2 }, [5, 3, 1]],
    [{ start: 3, step: -1 }, [3, 2, 1, 0]],
    [{ start: 99, end: 3, step: -1 }, [5, 4]],
    [{ end: -5, step: -2 }, [5, 3]],
    [{ start: 1, end: -99, step: -1 }, [1, 0]],
    [{ start: -99, step: -1 }, []],
    [{ start: 2, end: 2, step: -1 }, []],
    [{ step: 99 }, [0]],
  ] as const
).map(([range, is]) => ({
  run: (t) => ops.slice(t([0, 1, 2, 3, 4, 5]), [range]),
  is: [...is],
  by: `NumPy, ${JSON.stringify(range)}`,
}));

/** A step's number. */
const COUNTER: Input = { shape: [], dtype: "u32", low: 0, high: 2 ** 32 };

/** What an independent program of Threefry draws with key [1, 0] at step 3, and N(2, ½²) of it. */
const UNIFORM = [
  0.4575139880180359, 0.05916959047317505, 0.14912855625152588, 0.38826680183410645,
  0.4697345495223999,
];
const NORMAL = [
  2.582562840776641, 2.2271441072183444, 1.2552297801587913, 2.6299130787866467, 1.4020269017132851,
];

const drawRejects = (name: "uniformAt" | "normalAt"): Reject[] => [
  {
    run: (t) => ops[name](t(1), [2], { seed: 1 }),
    says: `${name}: step has dtype FLOAT; expected u32`,
  },
  {
    run: (t) => ops[name](t([1], "u32"), [2], { seed: 1 }),
    says: `${name}: step has shape [1]; expected a scalar`,
  },
  {
    run: (t) => ops[name](t(1, "u32"), [2, -1], { seed: 1 }),
    says: `${name}: shape [2, -1]; expected an array of non-negative integers`,
  },
  {
    run: (t) => ops[name](t(1, "u32"), [2], { seed: 1, dtype: "i32" }),
    says: `${name}: dtype i32; expected f32 or f64`,
  },
  {
    run: (t) => ops[name](t(1, "u32"), [2], { seed: 0.5 }),
    says: `${name}: seed 0.5; expected an integer from 0 to 2^53 - 1`,
    error: GradusError,
  },
  {
    run: (t) => ops[name](t(1, "u32"), [2], {}),
    says: `${name}: no seed and no key; expected one of them`,
    error: GradusError,
  },
];

const emptyReject = (name: keyof typeof ops): Reject => ({
  run: (t) => (ops[name] as Unary)(t([])),
  says: `${name}: shape [0] has no elements there; expected at least one`,
});

const slopeOf = (f: Unary, a: Tensor): Tensor => grad(ops.sum(f(a)), [a])[0];

const geluByTanh = (v: number) =>
  (v / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));

const CLOSED_FORM = "closed form";
const N = Number.NaN;

export const cases = {
  neg: {
    calls: [...unaryCalls(ops.neg), { inputs: [signed(7)], run: ops.neg }],
    golden: [{ run: (t) => ops.neg(t([1, -2, 0])), is: [-1, 2, 0], by: "definition" }],
    rejects: unaryRejects("neg", "f32, f64, i32"),
    gradient: true,
  },
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
      ...unaryCalls(ops.gelu),
      { inputs: [{ shape: [40], low: -6, high: 6 }], run: ops.gelu },
    ],
    golden: [
      {
        run: (t) => ops.gelu(t([0, 1, -1, 3, -3])),
        is: [0, 1, -1, 3, -3].map(geluByTanh),
        by: "the form with tanh in float64",
      },
      {
        run: (t) => ops.gelu(t([1e4, -1e4, 89, -89])),
        is: [1e4, 0, 89, 0],
        by: "limits",
      },
      { run: (t) => slopeOf(ops.gelu, t([0, 1e4, -1e4])), is: [0.5, 1, 0], by: "limits" },
    ],
    rejects: unaryRejects("gelu"),
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
  floor: {
    calls: unaryCalls(ops.floor),
    golden: [{ run: (t) => ops.floor(t([1.5, -1.5, 2])), is: [1, -2, 2], by: "definition" }],
    rejects: unaryRejects("floor"),
    gradient: "0 everywhere",
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
        run: () => ops.add(1, 2),
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
  pow: {
    calls: binaryCalls(ops.pow, positive),
    golden: [
      {
        run: (t) => ops.pow(t([2, -2, 0, 9, 10]), t([10, 3, 0, 0.5, 2])),
        is: [1024, -8, 1, 3, 100],
        by: "by hand",
      },
    ],
    rejects: binaryRejects("pow"),
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
  equal: compare("equal", [0, 1, 0]),
  notEqual: compare("notEqual", [1, 0, 1]),
  less: compare("less", [1, 0, 0]),
  lessEqual: compare("lessEqual", [1, 1, 0]),
  greater: compare("greater", [0, 0, 1]),
  greaterEqual: compare("greaterEqual", [0, 1, 1]),
  logicalAnd: logical("logicalAnd", [0, 0, 0, 1]),
  logicalOr: logical("logicalOr", [0, 1, 1, 1]),
  logicalNot: {
    calls: [{ inputs: [bools(3, 4)], run: ops.logicalNot }],
    golden: [{ run: (t) => ops.logicalNot(t([true, false])), is: [0, 1], by: "truth table" }],
    rejects: [
      { run: (t) => ops.logicalNot(t([1])), says: "logicalNot: dtype FLOAT; expected bool" },
    ],
    gradient: "a bool",
  },
  where: {
    calls: [
      { inputs: [bools(3, 4), x(3, 4), x(4)], run: (c, a, b) => ops.where(c, a, b) },
      { inputs: [bools(4), x(3, 4)], run: (c, a) => ops.where(c, a, 0) },
      { inputs: [bools(2, 1), signed(3), signed(1)], run: (c, a, b) => ops.where(c, a, b) },
    ],
    golden: [
      {
        run: (t) => ops.where(t([true, false]), t([1, 2]), t([3, 4])),
        is: [1, 4],
        by: "definition",
      },
    ],
    rejects: [
      {
        run: (t) => ops.where(t([1]), t([1]), 0),
        says: "where: condition has dtype FLOAT; expected bool",
      },
    ],
    gradient: true,
  },
  writeAt: {
    calls: [0, 3, 6, 7 + 5].map((index) => ({
      inputs: [x(7), x(), { shape: [], dtype: "u32", low: index, high: index + 1 }],
      run: (a, value, i) => ops.writeAt(a, i, value),
    })),
    golden: [
      {
        run: (t) => ops.writeAt(t([1, 2, 3]), t(4, "u32"), t(9)),
        is: [1, 9, 3],
        by: "4 mod 3 is 1",
      },
    ],
    rejects: [
      {
        run: (t) => ops.writeAt(t([1]), t([0], "u32"), t([1], "i32")),
        says: "writeAt: dtypes FLOAT and i32 differ; expected one dtype. cast one of them",
      },
      {
        run: (t) => ops.writeAt(t([1, 2]), t(0, "i32"), t(9)),
        says:
          "writeAt: x [2], index i32 [], value []; expected [n] with n from 1, a u32 scalar and " +
          "a scalar",
      },
    ],
    gradient: true,
  },
  cast: {
    calls: [
      { inputs: [{ shape: [40], low: -9, high: 9 }], run: (a) => ops.cast(a, "i32") },
      { inputs: [{ shape: [40], low: -9, high: 9 }], run: (a) => ops.cast(a, "u32") },
      { inputs: [whole(2, 40)], run: (a) => ops.cast(a, "bool") },
      { inputs: [{ shape: [41], dtype: "u8", low: 0, high: 256 }], run: (a) => ops.cast(a, "f32") },
      { inputs: [bools(9)], run: (a) => ops.cast(a, "f32") },
    ],
    golden: [
      { run: (t) => ops.cast(t([1.9, -1.9, 0]), "i32"), is: [1, -1, 0], by: "towards 0" },
      {
        run: (t) => ops.cast(t([3e9, -3e9, Number.NaN]), "i32"),
        is: [2147483647, -2147483648, 0],
        by: "limited to the range",
      },
      { run: (t) => ops.cast(t([-1, 5e9]), "u32"), is: [0, 4294967295], by: "limited" },
      { run: (t) => ops.cast(t([0, 0.5, -2]), "bool"), is: [0, 1, 1], by: "definition" },
      { run: (t) => ops.cast(t([-5, 7], "i32"), "u32"), is: [0, 7], by: "limited" },
    ],
    rejects: [
      {
        run: (t) => ops.cast(t([1]), "u8"),
        says: "cast: FLOAT to u8; expected f32, i32, u32, bool or f64",
        error: DTypeError,
      },
    ],
    gradient: "between f32 and f64 only, which no device has both of",
  },
  broadcastTo: {
    calls: [
      { inputs: [x(3, 1)], run: (a) => ops.broadcastTo(a, [2, 3, 4]), scale: 4 },
      { inputs: [x()], run: (a) => ops.broadcastTo(a, [5]), scale: 4 },
      { inputs: [x(1, 3)], run: (a) => ops.broadcastTo(a, [0, 3]) },
    ],
    golden: [
      {
        run: (t) => ops.broadcastTo(t([[1], [2]]), [2, 2]),
        is: [
          [1, 1],
          [2, 2],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.broadcastTo(t([1]), [1.5]),
        says: "broadcastTo: shape [1.5]; expected an array of non-negative integers",
      },
      {
        run: (t) => ops.broadcastTo(t([1, 2]), [3]),
        says:
          "broadcastTo: shape [2] to [3]; expected each axis, counted from the last, " +
          "to be 1 or equal",
      },
    ],
    gradient: true,
  },
  sumTo: {
    calls: [
      { inputs: [x(2, 3, 4)], run: (a) => ops.sumTo(a, [3, 1]), scale: 4 },
      { inputs: [x(5, 4)], run: (a) => ops.sumTo(a, [4]), scale: 4 },
    ],
    golden: [
      {
        run: (t) =>
          ops.sumTo(
            t([
              [1, 2],
              [3, 4],
            ]),
            [2],
          ),
        is: [4, 6],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.sumTo(t([1, 2, 3]), [2]),
        says: "sumTo: shape [3] to [2]; expected one that broadcasts to the former",
      },
    ],
    gradient: true,
  },
  sum: {
    calls: [
      ...manyAxes(ops.sum),
      { inputs: [signed(4, 600)], run: (a) => ops.sum(a, { axis: 1 }) },
      // Lengths around the switch to chunks before the tree, and a second round of chunks.
      ...[8191, 8192, 8193, 20_000].map((n) => ({
        inputs: [x(2, n)],
        run: (a: Tensor) => ops.sum(a, { axis: 1 }),
        scale: Math.sqrt(n),
      })),
      { inputs: [x(0, 3)], run: (a) => ops.sum(a, { axis: 0 }) },
      { inputs: [x(0, 3)], run: (a) => ops.sum(a, { axis: 1 }) },
    ],
    golden: [
      {
        run: (t) =>
          ops.sum(
            t([
              [1, 2],
              [3, 4],
            ]),
          ),
        is: 10,
        by: "by hand",
      },
      {
        run: (t) =>
          ops.sum(
            t([
              [1, 2],
              [3, 4],
            ]),
            { axis: 0 },
          ),
        is: [4, 6],
        by: "by hand",
      },
      { run: (t) => ops.sum(t([])), is: 0, by: "empty sum" },
    ],
    rejects: [
      axisReject("sum"),
      {
        run: (t) => ops.sum(t([true])),
        says: "sum: dtype bool; expected f32, f64, i32, u32. cast it first",
      },
      {
        run: (t) => ops.sum(t([[1]]), { axis: [0, -2] }),
        says: "sum: axes [0, 0] repeat; expected each axis once",
      },
    ],
    gradient: true,
  },
  mean: {
    calls: manyAxes(ops.mean),
    golden: [
      {
        run: (t) =>
          ops.mean(
            t([
              [1, 2],
              [3, 6],
            ]),
            { axis: 1 },
          ),
        is: [1.5, 4.5],
        by: "by hand",
      },
    ],
    rejects: [axisReject("mean"), ...unaryRejects("mean")],
    gradient: true,
  },
  max: {
    calls: [...manyAxes(ops.max), { inputs: [signed(4, 70)], run: (a) => ops.max(a, { axis: 1 }) }],
    golden: [
      {
        run: (t) =>
          ops.max(
            t([
              [1, N, 2],
              [1, 2, N],
              [N, 1, 2],
            ]),
            { axis: 1 },
          ),
        is: [N, N, N],
        by: "NaN stays, wherever it stands",
      },
      {
        run: (t) =>
          ops.max(
            t([
              [1, 5],
              [3, 2],
            ]),
            { axis: 0 },
          ),
        is: [3, 5],
        by: "by hand",
      },
    ],
    rejects: [axisReject("max"), emptyReject("max")],
    gradient: true,
  },
  min: {
    calls: [...manyAxes(ops.min), { inputs: [signed(4, 70)], run: (a) => ops.min(a, { axis: 1 }) }],
    golden: [
      {
        run: (t) =>
          ops.min(
            t([
              [1, N, 2],
              [1, 2, N],
              [N, 1, 2],
            ]),
            { axis: 1 },
          ),
        is: [N, N, N],
        by: "NaN stays, wherever it stands",
      },
      {
        run: (t) =>
          ops.min(
            t([
              [1, 5],
              [3, 2],
            ]),
            { axis: 1 },
          ),
        is: [1, 2],
        by: "by hand",
      },
    ],
    rejects: [axisReject("min"), emptyReject("min")],
    gradient: true,
  },
  argmax: {
    calls: [
      ...axisCalls(ops.argmax),
      { inputs: [x(3, 4)], run: (a) => ops.argmax(a, { axis: -2, keepDims: true }) },
      { inputs: [whole(3, 5, 200)], run: (a) => ops.argmax(a, { axis: 1 }) },
    ],
    golden: [
      {
        run: (t) =>
          ops.argmax(
            t([
              [1, N, 2],
              [1, 2, N],
              [N, 1, N],
            ]),
            { axis: 1 },
          ),
        is: [1, 2, 0],
        by: "the first NaN, as NumPy",
      },
      {
        run: (t) =>
          ops.argmax(
            t([
              [1, 5, 5],
              [3, 2, 1],
            ]),
            { axis: 1 },
          ),
        is: [1, 0],
        by: "first",
      },
      {
        run: (t) =>
          ops.argmax(
            t([
              [1, 5],
              [7, 2],
            ]),
          ),
        is: 2,
        by: "row-major",
      },
    ],
    rejects: [axisReject("argmax"), emptyReject("argmax")],
    gradient: "an index",
  },
  argmin: {
    calls: [
      ...axisCalls(ops.argmin),
      { inputs: [x(3, 4)], run: (a) => ops.argmin(a, { axis: -2, keepDims: true }) },
      { inputs: [whole(3, 5, 200)], run: (a) => ops.argmin(a, { axis: 1 }) },
    ],
    golden: [
      {
        run: (t) =>
          ops.argmin(
            t([
              [1, N, 2],
              [1, 2, N],
              [N, 1, N],
            ]),
            { axis: 1 },
          ),
        is: [1, 2, 0],
        by: "the first NaN, as NumPy",
      },
      {
        run: (t) =>
          ops.argmin(
            t([
              [1, 5, 1],
              [3, 2, 1],
            ]),
            { axis: 1 },
          ),
        is: [0, 2],
        by: "first",
      },
    ],
    rejects: [axisReject("argmin"), emptyReject("argmin")],
    gradient: "an index",
  },
  matmul: {
    calls: [
      ...[
        [1, 1, 1],
        [2, 3, 4],
        [7, 9, 5],
        [8, 4, 16],
        [31, 33, 32],
        [33, 31, 65],
        [100, 50, 784],
        [513, 514, 5], // enough outputs for the bigger tile
        [5, 3, 0],
        [0, 3, 2],
      ].map(([m, n, k]) => ({
        inputs: [x(m, k), x(k, n)],
        run: (a: Tensor, b: Tensor) => ops.matmul(a, b),
        scale: 1 + Math.max(k, m, n) / 3,
      })),
      { inputs: [x(6, 4), x(6, 5)], run: (a, b) => ops.matmul(ops.transpose(a), b), scale: 3 },
      {
        inputs: [x(16, 8), x(8, 12)], // views that run backwards in whole vectors of four
        run: (a, b) =>
          ops.matmul(ops.slice(a, [{ step: -2 }]), ops.slice(b, [{ step: -1 }, { end: 8 }])),
        scale: 3,
      },
      {
        inputs: [x(8, 8), x(8, 8)],
        run: (a, b) =>
          ops.matmul(ops.slice(a, [{}, { step: -1 }]), ops.transpose(ops.slice(b, [{ step: -1 }]))),
        scale: 3,
      },
      { inputs: [x(4, 6), x(5, 6)], run: (a, b) => ops.matmul(a, ops.transpose(b)), scale: 3 },
      { inputs: [x(3, 4, 6), x(3, 6, 2)], run: (a, b) => ops.matmul(a, b), scale: 3 },
      { inputs: [x(2, 1, 4, 6), x(3, 6, 2)], run: (a, b) => ops.matmul(a, b), scale: 6 },
      { inputs: [x(5), x(5, 3)], run: (a, b) => ops.matmul(a, b), scale: 3 },
      { inputs: [x(3, 5), x(5)], run: (a, b) => ops.matmul(a, b), scale: 3 },
      { inputs: [x(5), x(5)], run: (a, b) => ops.matmul(a, b), scale: 3 },
      {
        inputs: [x(9, 7), x(7, 3), x(3)],
        run: (a, b, c) => ops.sigmoid(ops.add(ops.matmul(a, b), c)),
        scale: 4,
      },
      {
        // Large enough for loads that four neighbours share, and a multiple of no tile.
        inputs: [x(2, 130, 68), x(2, 130, 61), x(61)],
        run: (a, b, c) => ops.tanh(ops.add(ops.matmul(ops.transpose(a), ops.mul(b, 0.1)), c)),
        scale: 10,
      },
    ],
    golden: [
      {
        run: (t) =>
          ops.matmul(
            t([
              [1, 2],
              [3, 4],
            ]),
            t([
              [5, 6],
              [7, 8],
            ]),
          ),
        is: [
          [19, 22],
          [43, 50],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.matmul(ops.reshape(t([1, 2, 3, 4, 5, 6]), [2, 3]), t([[1, 2, 3]])),
        says:
          "matmul: shapes [2, 3] and [1, 3] do not multiply (3 vs 1); " +
          "expected [m, k] and [k, n]. Transpose b?",
      },
      {
        run: (t) => ops.matmul(t(1), t([1])),
        says: "matmul: shapes [] and [1]; expected at least one axis each. Use mul for scalars",
      },
      {
        run: (t) => ops.matmul(t([[1]], "i32"), t([[1]], "i32")),
        says: "matmul: dtype i32; expected f32, f64",
      },
    ],
    gradient: true,
  },
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
  pairwiseSquaredDistances: {
    calls: [
      { inputs: [x(4, 3), x(5, 3)], run: (a, b) => ops.pairwiseSquaredDistances(a, b), scale: 4 },
      {
        inputs: [x(70, 65), x(3, 65)],
        run: (a, b) => ops.pairwiseSquaredDistances(a, b),
        scale: 40,
      },
      { inputs: [x(0, 2), x(3, 2)], run: (a, b) => ops.pairwiseSquaredDistances(a, b) },
    ],
    golden: [
      {
        run: (t) =>
          ops.pairwiseSquaredDistances(
            t([
              [0, 0],
              [3, 4],
            ]),
            t([
              [3, 4],
              [1, 1],
              [0, -1],
            ]),
          ),
        is: [
          [25, 2, 1],
          [0, 13, 34],
        ],
        by: "Pythagoras",
      },
      {
        run: (t) => {
          const near = Array.from({ length: 20 }, (_, i) => [1 + i * 1e-5, 0.7 - i * 1e-5, 0.3]);
          const squared = ops.pairwiseSquaredDistances(t(near), t(near));
          return ops.sum(ops.cast(ops.less(squared, 0), "i32"));
        },
        is: 0,
        by: "no distance is below 0, however it is rounded",
      },
    ],
    rejects: [
      {
        run: (t) => ops.pairwiseSquaredDistances(t([[1]]), t([1])),
        says: "pairwiseSquaredDistances: shapes [1, 1] and [1]; expected [m, features] and [n, features]",
      },
      {
        run: (t) => ops.pairwiseSquaredDistances(t([1]), t([[1]])),
        says: "pairwiseSquaredDistances: shapes [1] and [1, 1]; expected [m, features] and [n, features]",
      },
      {
        run: (t) => ops.pairwiseSquaredDistances(t([[1]]), t([[1, 2]])),
        says:
          "pairwiseSquaredDistances: shapes [1, 1] and [1, 2]; " +
          "expected [m, features] and [n, features]",
      },
      {
        run: (t) => ops.pairwiseSquaredDistances(t([[1]]), t([[1]], "i32")),
        says:
          "pairwiseSquaredDistances: dtypes FLOAT and i32 differ; expected one dtype. " +
          "cast one of them",
      },
    ],
    gradient: true,
  },
  l2Normalize: {
    calls: [
      ...axisCalls((a, options) => ops.l2Normalize(a, options)),
      { inputs: [x(3, 4, 5)], run: (a) => ops.l2Normalize(a, { axis: [0, 2] }) },
      { inputs: [x(4, 6)], run: (a) => ops.l2Normalize(a, { epsilon: 2 }) },
      { inputs: [x(0, 3)], run: (a) => ops.l2Normalize(a) },
      { inputs: [x(3, 0)], run: (a) => ops.l2Normalize(a) },
    ],
    golden: [
      {
        run: (t) =>
          ops.l2Normalize(
            t([
              [3, -4],
              [0, 0],
              [0, -2],
            ]),
          ),
        is: [
          [0.6, -0.8],
          [0, 0],
          [0, -1],
        ],
        by: "the triangle 3, 4, 5",
      },
      {
        run: (t) => ops.l2Normalize(t([[3e36], [4e36]]), { axis: 0 }),
        is: [[0.6], [0.8]],
        by: "squares beyond f32",
      },
      { run: (t) => ops.l2Normalize(t([6e-36, 8e-36])), is: [0.6, 0.8], by: "squares below f32" },
      {
        run: (t) => ops.l2Normalize(t([0.3, 0.4]), { epsilon: 2 }),
        is: [0.15, 0.2],
        by: "a divisor of ε",
      },
      {
        run: (t) => {
          const a = t([
            [3, 4],
            [0, 0],
            [0.3, 0.4],
            [3e-20, 4e-20],
          ]);
          const y = ops.l2Normalize(a, { epsilon: 1e-30 });
          const [g] = grad(ops.sum(ops.mul(y, t([1, 0]))), [a]);
          return ops.mul(g, t([[1], [1], [1], [1e-20]]));
        },
        // dx = (g − y (g · y)) / ‖x‖ with g = (1, 0)
        is: [
          [0.128, -0.096],
          [0, 0],
          [1.28, -0.96],
          [0.128, -0.096],
        ],
        by: "the derivative of x / ‖x‖, and 0 for a zero vector",
      },
    ],
    rejects: [
      axisReject("l2Normalize"),
      ...unaryRejects("l2Normalize"),
      {
        run: (t) => ops.l2Normalize(t([1]), { epsilon: 0 }),
        says: "l2Normalize: epsilon 0; expected a finite number from 1e-36",
        error: GradusError,
      },
    ],
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
  reshape: {
    calls: [
      { inputs: [x(3, 4)], run: (a) => ops.reshape(a, [2, -1]) },
      { inputs: [x(3, 4)], run: (a) => ops.reshape(ops.transpose(a), [6, 2]) },
      { inputs: [x(1)], run: (a) => ops.reshape(a, []) },
      { inputs: [x(0, 3)], run: (a) => ops.reshape(a, [3, 0]) },
    ],
    golden: [
      {
        run: (t) => ops.reshape(t([1, 2, 3, 4]), [2, 2]),
        is: [
          [1, 2],
          [3, 4],
        ],
        by: "row-major",
      },
    ],
    rejects: [
      {
        run: (t) => ops.reshape(t([1, 2, 3]), [2, -1]),
        says: "reshape: shape [3] to [2, -1]; expected 3 elements, at most one axis -1",
      },
    ],
    gradient: true,
  },
  squeeze: {
    calls: [
      { inputs: [x(1, 3, 1)], run: (a) => ops.squeeze(a) },
      { inputs: [x(1, 3, 1)], run: (a) => ops.squeeze(a, -1) },
    ],
    golden: [{ run: (t) => ops.squeeze(t([[[1], [2]]])), is: [1, 2], by: "by hand" }],
    rejects: [
      {
        run: (t) => ops.squeeze(t([[1, 2]]), 1),
        says: "squeeze: axis 1 of [1, 2] has size 2; expected 1",
      },
    ],
    gradient: true,
  },
  expandDims: {
    calls: [{ inputs: [x(3)], run: (a) => ops.expandDims(a, -1) }],
    golden: [{ run: (t) => ops.expandDims(t([1, 2]), 0), is: [[1, 2]], by: "by hand" }],
    rejects: [
      {
        run: (t) => ops.expandDims(t([1]), 2),
        says: "expandDims: axis 2; expected an integer in [-2, 1] for rank 2",
      },
    ],
    gradient: true,
  },
  permute: {
    calls: [
      { inputs: [x(2, 3, 4)], run: (a) => ops.permute(a, [2, 0, -2]) },
      { inputs: [x(2, 3, 4)], run: (a) => ops.permute(a, -1, 0, 1) },
    ],
    golden: [
      {
        run: (t) => ops.permute(t([[[1, 2]], [[3, 4]]]), [2, 1, 0]),
        is: [[[1, 3]], [[2, 4]]],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.permute(t([[1]]), [0, 0]),
        says: "permute: axes [0, 0] of [1, 1]; expected each axis once",
      },
    ],
    gradient: true,
  },
  transpose: {
    calls: [
      { inputs: [x(3, 4)], run: (a) => ops.transpose(a) },
      { inputs: [x(2, 3, 4)], run: (a) => ops.transpose(a) },
      { inputs: [x(2, 3, 4)], run: (a) => ops.transpose(a, [1, 2, 0]) },
      { inputs: [x(2, 3, 4)], run: (a) => ops.transpose(a, -1, 0) },
      { inputs: [x(2, 3, 4)], run: (a) => ops.transpose(a, -1, 0, 1) },
    ],
    golden: [
      {
        run: (t) =>
          ops.transpose(
            t([
              [1, 2],
              [3, 4],
            ]),
          ),
        is: [
          [1, 3],
          [2, 4],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.transpose(t([1])),
        says: "transpose: shape [1]; expected at least two axes",
      },
      {
        run: (t) => ops.transpose(t([[1]]), 1),
        says: "transpose: axis 1 alone; expected two axes to swap, or the order of all",
      },
      {
        run: (t) => ops.transpose(t([[1]]), 0, 2),
        says: "transpose: axis 2; expected an integer in [-2, 1] for rank 2",
      },
      {
        run: (t) => ops.transpose(t([[1]]), [0]),
        says: "transpose: axes [0] of [1, 1]; expected each axis once",
      },
    ],
    gradient: true,
  },
  slice: {
    calls: [
      { inputs: [x(5, 6)], run: (a) => ops.slice(a, [{ start: 1, end: -1 }, { step: 4 }]) },
      { inputs: [x(5, 6)], run: (a) => ops.slice(a, [{ start: 2, end: 2 }]) },
      { inputs: [x(6, 5)], run: (a) => ops.slice(ops.transpose(a), [{}, { start: -3, step: 2 }]) },
      {
        inputs: [x(5, 6)],
        run: (a) => ops.slice(a, [{ step: -1 }, { start: 9, end: 1, step: -2 }]),
      },
      { inputs: [x(6, 5)], run: (a) => ops.slice(ops.slice(a, [{ step: -2 }]), [{ step: -1 }]) },
      { inputs: [x(3, 4)], run: (a) => ops.slice(a, [{ start: 2, end: 9 }, { start: -9 }]) },
      { inputs: [x(0, 3)], run: (a) => ops.slice(a, [{ step: -1 }]) },
    ],
    golden: [
      {
        run: (t) => ops.slice(t([1, 2, 3, 4, 5]), [{ start: 1, step: 2 }]),
        is: [2, 4],
        by: "by hand",
      },
      ...sliceGoldens,
    ],
    rejects: [
      {
        run: (t) => ops.slice(t([1, 2]), [{ end: 2.5 }]),
        says:
          "slice: start undefined, end 2.5, step 1 on axis 0; expected integers, and a step that " +
          "is not 0",
      },
      {
        run: (t) => ops.slice(t([1, 2]), [{ start: 1, step: 0 }]),
        says:
          "slice: start 1, end undefined, step 0 on axis 0; expected integers, and a step that " +
          "is not 0",
      },
      {
        run: (t) => ops.slice(t([1, 2]), [1 as never]),
        says: "slice: options 1; expected an object of start, end, step. Did you mean { start: 1 }?",
        error: GradusError,
      },
      {
        run: (t) => ops.slice(t([1, 2]), 1 as never),
        says: "slice: ranges 1; expected an array of { start, end, step }",
      },
      {
        run: (t) => ops.slice(t([1]), [{}, {}]),
        says: "slice: 2 ranges for [1]; expected at most 1",
      },
    ],
    gradient: true,
  },
  pad: {
    calls: [
      {
        inputs: [x(3, 4)],
        run: (a) =>
          ops.pad(
            a,
            [
              [1, 0],
              [2, 3],
            ],
            0.5,
          ),
      },
      {
        inputs: [x(0, 2)],
        run: (a) =>
          ops.pad(a, [
            [1, 1],
            [0, 0],
          ]),
      },
    ],
    golden: [
      { run: (t) => ops.pad(t([1, 2]), [[1, 2]], 9), is: [9, 1, 2, 9, 9], by: "by hand" },
      { run: (t) => ops.pad(t([1, 2]), [[1, 0]]), is: [0, 1, 2], by: "by hand" },
    ],
    rejects: [
      {
        run: (t) => ops.pad(t([1]), []),
        says: "pad: padding [] for [1]; expected one pair of non-negative integers for each axis",
      },
      {
        run: (t) => ops.pad(t([1]), [[0.5, 0]]),
        says: "pad: padding [[0.5,0]] for [1]; expected one pair of non-negative integers for each axis",
      },
      {
        run: (t) => ops.pad(t([1]), [3] as never),
        says: "pad: padding [3] for [1]; expected one pair of non-negative integers for each axis",
      },
      {
        run: (t) => ops.pad(t([1]), [[1]] as never),
        says: "pad: padding [[1]] for [1]; expected one pair of non-negative integers for each axis",
      },
      {
        run: (t) => ops.pad(t([1]), { length: 1 } as never),
        says: 'pad: padding {"length":1} for [1]; expected one pair of non-negative integers for each axis',
      },
      {
        run: (t) => ops.pad(t([1]), [[-1, 0]]),
        says: "pad: padding [[-1,0]] for [1]; expected one pair of non-negative integers for each axis",
      },
    ],
    gradient: true,
  },
  concat: {
    calls: [
      { inputs: [x(2, 3), x(2, 1), x(2, 4)], run: (...a) => ops.concat(a, { axis: -1 }) },
      { inputs: [x(2, 3), x(0, 3), x(1, 3)], run: (...a) => ops.concat(a) },
      { inputs: [signed(3), signed(2)], run: (...a) => ops.concat(a) },
      {
        inputs: Array.from({ length: 20 }, (_, i) => x(1 + (i % 3))),
        run: (...a) => ops.concat(a),
      },
    ],
    golden: [
      {
        run: (t) => ops.concat([t([[1], [2]]), t([[3], [4]])], { axis: 1 }),
        is: [
          [1, 3],
          [2, 4],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: () => ops.concat([]),
        says: "concat: no tensors; expected an array of at least one tensor",
      },
      {
        run: (t) => ops.concat([t([[1, 2]]), t([[1]])]),
        says:
          "concat: FLOAT [1, 1] beside FLOAT [1, 2] along axis 0; " +
          "expected one dtype and equal other axes",
      },
    ],
    gradient: true,
  },
  stack: {
    calls: [{ inputs: [x(2, 3), x(2, 3)], run: (...a) => ops.stack(a, { axis: 1 }) }],
    golden: [
      {
        run: (t) => ops.stack([t([1, 2]), t([3, 4])]),
        is: [
          [1, 2],
          [3, 4],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: () => ops.stack([]),
        says: "stack: no tensors; expected an array of at least one tensor",
      },
    ],
    gradient: true,
  },
  gather: {
    calls: [
      { inputs: [x(5, 3), whole(5, 4)], run: (a, i) => ops.gather(a, i), scale: 3 },
      { inputs: [x(5), whole(5, 2, 3)], run: (a, i) => ops.gather(a, i), scale: 3 },
      { inputs: [x(2, 6, 3), whole(6, 4)], run: (a, i) => ops.gather(a, i, { axis: 1 }), scale: 3 },
      { inputs: [x(4, 5), whole(4, 3)], run: (a, i) => ops.gather(ops.transpose(a), i), scale: 3 },
      {
        inputs: [{ shape: [6, 5], dtype: "u8", low: 0, high: 256 }, whole(6, 4)],
        run: (a, i) => ops.cast(ops.gather(a, i), "f32"),
      },
    ],
    golden: [
      {
        run: (t) =>
          ops.gather(
            t([
              [1, 2],
              [3, 4],
            ]),
            t([1, 1, 0], "u32"),
          ),
        is: [
          [3, 4],
          [3, 4],
          [1, 2],
        ],
        by: "by hand",
      },
      {
        run: (t) => ops.gather(t([1, 2]), t([2, -1], "i32")),
        is: [Number.NaN, Number.NaN],
        by: "outside is NaN",
      },
      {
        run: (t) => ops.gather(t([1, 2], "i32"), t([2, 1], "i32")),
        is: [0, 2],
        by: "outside is 0",
      },
      {
        run: (t) =>
          ops.gather(
            t(
              [
                [1, 2, 3],
                [4, 5, 255],
              ],
              "u8",
            ),
            t([1, 1, 0], "u32"),
          ),
        is: [
          [4, 5, 255],
          [4, 5, 255],
          [1, 2, 3],
        ],
        by: "by hand, in bytes",
      },
    ],
    rejects: [
      {
        run: (t) => ops.gather(t([1]), t([0])),
        says: "gather: indices have dtype FLOAT; expected i32 or u32",
      },
      {
        run: (t) => ops.gather(t(1), t([0], "i32")),
        says: "gather: x has shape []; expected at least one axis",
      },
    ],
    gradient: true,
  },
  oneHot: {
    calls: [{ inputs: [whole(4, 3, 2)], run: (i) => ops.oneHot(i, 4) }],
    golden: [
      {
        run: (t) => ops.oneHot(t([0, 3], "u8"), 2),
        is: [
          [1, 0],
          [0, 0],
        ],
        by: "by hand",
      },
      {
        run: (t) => ops.oneHot(t([1, 3], "u32"), 3),
        is: [
          [0, 1, 0],
          [0, 0, 0],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.oneHot(t([1], "i32"), -1),
        says: "oneHot: shape [-1]; expected an array of non-negative integers",
      },
      {
        run: (t) => ops.oneHot(t([true], "bool"), 3),
        says: "oneHot: labels have dtype bool; expected i32, u32 or u8",
      },
      {
        run: (t) => ops.oneHot(t([1]), 3),
        says: "oneHot: labels have dtype FLOAT; expected i32, u32 or u8",
      },
    ],
    gradient: "labels are whole numbers",
  },
  tensor: {
    calls: [{ inputs: [x(3, 2)], run: (a) => ops.reshape(a, [6]) }],
    golden: [
      {
        run: (t) =>
          t([
            [1, 2],
            [3, 4],
          ]),
        is: [
          [1, 2],
          [3, 4],
        ],
        by: "definition",
      },
      ...[Uint8Array.of(0, 1, 2, 255), [0, 1, 2.7, -1], Float32Array.of(0, 1, Number.NaN, 0.1)].map(
        (data) => ({
          run: (t: Make) => ops.tensor(data, { dtype: "bool", device: t([]).device }),
          is: [0, 1, 1, 1],
          by: "all but 0 is 1, as in NumPy",
        }),
      ),
    ],
    rejects: [
      {
        run: () => ops.tensor([[1, 2], [3]]),
        says: "tensor: an array of 1 at depth 1; expected arrays of 2 there, as in shape [2, 2]",
      },
      {
        run: () => ops.tensor([1, 2], { shape: [3] }),
        says: "tensor: 2 values for shape [3]; expected 3",
      },
    ],
    gradient: "a source",
  },
  zeros: {
    calls: [{ inputs: [x(2)], run: (a) => ops.add(a, ops.zeros([3, 1], like(a))) }],
    golden: [{ run: (t) => ops.zeros([2, 1], like(t([]))), is: [[0], [0]], by: "definition" }],
    rejects: [
      {
        run: () => ops.zeros([-1]),
        says: "zeros: shape [-1]; expected an array of non-negative integers",
      },
    ],
    gradient: "a source",
  },
  ones: {
    calls: [{ inputs: [x(2)], run: (a) => ops.mul(a, ops.ones([3, 1], like(a))) }],
    golden: [{ run: (t) => ops.ones([2], like(t([]))), is: [1, 1], by: "definition" }],
    rejects: [
      {
        run: () => ops.ones([1.5]),
        says: "ones: shape [1.5]; expected an array of non-negative integers",
      },
    ],
    gradient: "a source",
  },
  full: {
    calls: [{ inputs: [x(2)], run: (a) => ops.mul(a, ops.full([3, 1], 2.5, like(a))) }],
    golden: [{ run: (t) => ops.full([2], 0.25, like(t([]))), is: [0.25, 0.25], by: "definition" }],
    rejects: [
      {
        run: () => ops.full([2 ** 17, 2 ** 17], 0),
        says: "full: shape [131072, 131072]; expected fewer than 2^32 elements",
      },
    ],
    gradient: "a source",
  },
  batchIndices: {
    calls: [
      {
        inputs: [{ shape: [], dtype: "u32", low: 0, high: 500 }],
        run: (step) => ops.batchIndices(step, { size: 70, batchSize: 7, seed: 2 }),
      },
      {
        inputs: [x(40, 3), { shape: [], dtype: "u32", low: 0, high: 2 ** 32 }],
        run: (a, step) => ops.gather(a, ops.batchIndices(step, { size: 40, batchSize: 8 })),
        scale: 3,
      },
    ],
    golden: [
      {
        run: (t) => ops.batchIndices(t(7, "u32"), { size: 6, batchSize: 2, shuffle: false }),
        is: [2, 3],
        by: "by hand",
      },
      {
        run: (t) => ops.batchIndices(t(4294967295, "u32"), { size: 60000, batchSize: 4, seed: 1 }),
        is: [7889, 15236, 36528, 28546],
        by: "an independent program of the two papers",
      },
      {
        run: (t) =>
          ops.batchIndices(t(5, "u32"), { size: 4294967295, batchSize: 3, dropLast: true }),
        is: [1211909273, 4184481677, 187108879],
        by: "an independent program of the two papers",
      },
      {
        run: (t) => ops.batchIndices(t(3, "u32"), { size: 9, batchSize: 3, replacement: true }),
        is: [2, 5, 5],
        by: "an independent program, ⌊w · 9 / 2⁶⁴⌋ in whole numbers",
      },
    ],
    rejects: [
      {
        run: (t) => ops.batchIndices(t(1), { size: 4, batchSize: 2 }),
        says: "batchIndices: step has dtype FLOAT; expected u32",
      },
      {
        run: (t) => ops.batchIndices(t([1], "u32"), { size: 4, batchSize: 2 }),
        says: "batchIndices: step has shape [1]; expected a scalar",
      },
      {
        run: (t) => ops.batchIndices(t(1, "u32"), { size: 7, batchSize: 2 }),
        says:
          "batchIndices: batchSize 2 leaves 1 of 7 examples over; " +
          "expected batches of one size. Set dropLast: true",
      },
      {
        run: (t) => ops.batchIndices(t(1, "u32"), { size: 0, batchSize: 2 }),
        says: "batchIndices: size 0; expected an integer from 1 to 2^32",
      },
      {
        run: (t) => ops.batchIndices(t(1, "u32"), { size: 2 ** 32, batchSize: 2 }),
        says: "batchIndices: size 4294967296; expected an integer from 1 to 2^32 - 1",
      },
      {
        run: (t) => ops.batchIndices(t(1, "u32"), { size: 4, batchSize: 2, seed: -1 }),
        says: "batchIndices: seed -1; expected an integer from 0 to 2^53 - 1",
        error: GradusError,
      },
    ],
    gradient: "whole numbers",
  },
  arange: {
    calls: [{ inputs: [x(5)], run: (a) => ops.add(a, ops.arange(0, 5, 1, like(a))) }],
    golden: [
      { run: (t) => ops.arange(2, 9, 3, like(t([]))), is: [2, 5, 8], by: "by hand" },
      { run: (t) => ops.arange(3, 0, -1, like(t([]))), is: [3, 2, 1], by: "by hand" },
      { run: (t) => ops.arange(4, undefined, 1, like(t([]))), is: [0, 1, 2, 3], by: "by hand" },
      { run: () => ops.arange(2, 5), is: [2, 3, 4], by: "by hand" },
    ],
    rejects: [
      {
        run: () => ops.arange(0, 5, 0),
        says: "arange: start 0, end 5, step 0; expected finite numbers and a step not 0",
      },
    ],
    gradient: "a source",
  },
  eye: {
    calls: [{ inputs: [x(3, 3)], run: (a) => ops.add(a, ops.eye(3, 3, like(a))) }],
    golden: [
      {
        run: (t) => ops.eye(2, 3, like(t([]))),
        is: [
          [1, 0, 0],
          [0, 1, 0],
        ],
        by: "definition",
      },
    ],
    rejects: [
      {
        run: () => ops.eye(-1),
        says: "eye: shape [-1, -1]; expected an array of non-negative integers",
      },
    ],
    gradient: "a source",
  },
  randomUniform: {
    calls: [
      { inputs: [x(9)], run: (a) => ops.add(a, ops.randomUniform([9], { seed: 3, ...like(a) })) },
    ],
    golden: [
      {
        run: (t) => ops.randomUniform([3], { seed: 1, low: 2, high: 2, ...like(t([])) }),
        is: [2, 2, 2],
        by: "an empty range",
      },
    ],
    rejects: [
      {
        run: () => ops.randomUniform([-1]),
        says: "randomUniform: shape [-1]; expected an array of non-negative integers",
      },
      {
        run: () => ops.randomUniform([1], { dtype: "i32" }),
        says: "randomUniform: dtype i32; expected f32 or f64",
      },
      {
        run: () => ops.randomUniform([1], { low: 1, high: 0 }),
        says: "randomUniform: low 1, high 0; expected low ≤ high, finite",
        error: GradusError,
      },
    ],
    gradient: "a source",
  },
  randomNormal: {
    calls: [
      { inputs: [x(9)], run: (a) => ops.add(a, ops.randomNormal([9], { seed: 3, ...like(a) })) },
    ],
    golden: [
      {
        run: (t) => ops.randomNormal([2], { seed: 1, mean: 4, std: 0, ...like(t([])) }),
        is: [4, 4],
        by: "no spread",
      },
    ],
    rejects: [
      {
        run: () => ops.randomNormal([1], { std: -1 }),
        says: "randomNormal: mean 0, std -1; expected finite, std at least 0",
        error: GradusError,
      },
      {
        run: () => ops.randomNormal([1], { dtype: "i32" }),
        says: "randomNormal: dtype i32; expected f32 or f64",
      },
    ],
    gradient: "a source",
  },
  uniformAt: {
    calls: [
      {
        inputs: [COUNTER],
        run: (step) => ops.uniformAt(step, [37], { seed: 4 }),
      },
      {
        inputs: [x(5, 9), COUNTER],
        run: (a, step) => {
          const { dtype } = a;
          const u = ops.uniformAt(step, [9, 5], { seed: 2 ** 40 + 1, low: -0.3, high: 1.1, dtype });
          return ops.mul(a, ops.transpose(u));
        },
        scale: 3,
      },
      {
        inputs: [x(3, 4), COUNTER],
        run: (a, step) => {
          const kept = ops.less(ops.uniformAt(step, a.shape, { key: [7, 8] }), 0.5);
          return ops.where(kept, ops.mul(a, 2), 0);
        },
      },
      { inputs: [COUNTER], run: (step) => ops.uniformAt(step, [], { seed: 4, low: 5, high: 9 }) },
      { inputs: [COUNTER], run: (step) => ops.uniformAt(step, [0, 3], { seed: 4 }) },
    ],
    golden: [
      {
        run: (t) => ops.uniformAt(t(3, "u32"), [5], { seed: 1, dtype: t([]).dtype }),
        is: UNIFORM,
        by: "an independent program, words of Threefry by the paper",
      },
      {
        run: (t) => {
          const range = { low: -1.5, high: 0.75 };
          return ops.uniformAt(t(3, "u32"), [5], { seed: 1, ...range, dtype: t([]).dtype });
        },
        is: UNIFORM.map((u) => 2.25 * u - 1.5),
        by: "the same, −1.5 + 2.25 u",
      },
    ],
    rejects: [
      ...drawRejects("uniformAt"),
      {
        run: (t) => ops.uniformAt(t(1, "u32"), [2], { seed: 1, low: 1, high: 0.5 }),
        says: "uniformAt: low 1, high 0.5; expected low ≤ high, finite",
        error: GradusError,
      },
    ],
    gradient: "random numbers",
  },
  normalAt: {
    calls: [
      {
        inputs: [COUNTER],
        run: (step) => ops.normalAt(step, [501], { seed: 4 }),
      },
      {
        inputs: [x(5, 9), COUNTER],
        run: (a, step) => {
          const { dtype } = a;
          return ops.add(a, ops.normalAt(step, [9], { seed: 2 ** 40, mean: 0.5, std: 0.2, dtype }));
        },
      },
      { inputs: [COUNTER], run: (step) => ops.normalAt(step, [], { key: [1, 2] }) },
    ],
    golden: [
      {
        run: (t) => {
          const options = { seed: 1, mean: 2, std: 0.5, dtype: t([]).dtype };
          return ops.normalAt(t(3, "u32"), [5], options);
        },
        is: NORMAL,
        by: "an independent program, Box and Muller's formula",
      },
    ],
    rejects: [
      ...drawRejects("normalAt"),
      {
        run: (t) => ops.normalAt(t(1, "u32"), [2], { seed: 1, std: -1 }),
        says: "normalAt: mean 0, std -1; expected finite, std at least 0",
        error: GradusError,
      },
    ],
    gradient: "random numbers",
  },
  randomPermutation: {
    calls: [
      {
        inputs: [x(9)],
        run: (a) => ops.gather(a, ops.randomPermutation(9, { seed: 5, device: a.device })),
        scale: 3,
      },
    ],
    golden: [
      {
        run: (t) => ops.randomPermutation(1, { seed: 1, device: t([]).device }),
        is: [0],
        by: "only one",
      },
    ],
    rejects: [
      {
        run: () => ops.randomPermutation(-1),
        says: "randomPermutation: n -1; expected an integer from 0 to 2^32 - 1",
      },
    ],
    gradient: "a source",
  },
  setSeed: {
    calls: [
      {
        inputs: [x(4)],
        run: (a) => {
          ops.setSeed(11);
          return ops.add(a, ops.randomUniform([4], like(a)));
        },
      },
    ],
    golden: [
      {
        run: (t) => {
          ops.setSeed(4);
          const first = ops.randomUniform([2], like(t([])));
          ops.setSeed(4);
          return ops.sub(first, ops.randomUniform([2], like(t([]))));
        },
        is: [0, 0],
        by: "the same numbers again",
      },
    ],
    rejects: [
      {
        run: () => ops.setSeed(-1),
        says: "setSeed: seed -1; expected an integer from 0 to 2^53 - 1",
        error: GradusError,
      },
    ],
    gradient: "no tensor",
  },
  customGrad: {
    calls: [
      {
        inputs: [x(4)],
        run: ops.customGrad(
          (a) => ops.square(a),
          (g, _, a) => [ops.mul(g, ops.mul(a, 2))],
        ),
      },
    ],
    golden: [
      {
        run: (t) =>
          ops.customGrad(
            (a: Tensor) => ops.neg(a),
            (g) => [g],
          )(t([1, 2])),
        is: [-1, -2],
        by: "its function",
      },
      {
        run: (t) => {
          const a = t([1, 2]);
          const triple = ops.customGrad(
            (b: Tensor) => ops.neg(b),
            (g) => [ops.mul(g, 3)],
          );
          return grad(ops.sum(triple(a)), [a])[0];
        },
        is: [3, 3],
        by: "its rule, which is not the function's derivative",
      },
    ],
    rejects: [],
    gradient: true,
  },
  stopGradient: {
    calls: [{ inputs: [x(4)], run: (a) => ops.stopGradient(a) }],
    golden: [
      { run: (t) => ops.stopGradient(t([1, 2])), is: [1, 2], by: "definition" },
      {
        run: (t) => {
          const a = t([1, 2]);
          return grad(ops.sum(ops.mul(a, ops.stopGradient(a))), [a])[0];
        },
        is: [1, 2],
        by: "one factor counts as constant",
      },
    ],
    rejects: [],
    gradient: "it is stopped",
  },
} satisfies Record<keyof typeof ops, OpCase>;

function like(a: Tensor) {
  return { dtype: a.dtype, device: a.device };
}
