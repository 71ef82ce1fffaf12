import { defineOp } from "../../src/graph/op.ts";
import { apply } from "../../src/graph/tensor.ts";
import {
  add,
  concat,
  cos,
  customGrad,
  div,
  exp,
  expm1,
  log,
  log1p,
  logSoftmax,
  logSumExp,
  matmul,
  mean,
  mul,
  type NonFinite,
  pow,
  reciprocal,
  reshape,
  sin,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  transpose,
} from "../../src/index.ts";

/** An op in the middle of a model, `[2, 2]` to any shape, and an input that plants what is not finite. */
export interface Planted {
  /** The op that must be named. */
  readonly op: string;
  readonly run: (x: Tensor) => Tensor;
  /** The first element of the input, all others being 1 or 0.5. */
  readonly first: number;
  readonly value: NonFinite;
  /** Whether the model's forward pass is finite, and the op's gradient is not. */
  readonly inGradient?: boolean;
}

/** y = NaN where x is above 5, else x: an op with a fault. */
const faulty = defineOp<Record<string, never>>({
  name: "faulty",
  infer: ([x]) => x,
  scalar: () => (x) => (x > 5 ? Number.NaN : x),
  linear: true,
  form: {
    kind: "pointwise",
    element: ({ at, load, scalars }) => {
      const m = scalars("f32");
      const isLarge = m.call(">", load(0, at), m.literal(5));
      return m.call("select", load(0, at), m.literal(Number.NaN), isLarge);
    },
  },
  vjp: (g) => [g],
});

/** A gradient that takes the logarithm of what may be negative. */
const faultyGradient = customGrad(
  (x: Tensor) => mul(x, 2),
  (g, _y, x) => [mul(g, log(x))],
);

const INFINITE = Number.POSITIVE_INFINITY;

export const planted: readonly Planted[] = [
  { op: "log", run: log, first: -1, value: "NaN" },
  { op: "log", run: log, first: 0, value: "infinity" },
  { op: "log1p", run: log1p, first: -2, value: "NaN" },
  { op: "sqrt", run: sqrt, first: -1, value: "NaN" },
  { op: "exp", run: exp, first: 100, value: "infinity" },
  { op: "expm1", run: expm1, first: 100, value: "infinity" },
  { op: "pow", run: (x) => pow(x, 0.5), first: -1, value: "NaN" },
  { op: "pow", run: (x) => pow(x, 50), first: 10, value: "infinity" },
  { op: "reciprocal", run: reciprocal, first: 0, value: "infinity" },
  { op: "div", run: (x) => div(x, x), first: 0, value: "NaN" },
  { op: "div", run: (x) => div(1, x), first: 0, value: "infinity" },
  { op: "square", run: square, first: 1e30, value: "infinity" },
  { op: "mul", run: (x) => mul(x, transpose(x)), first: 1e30, value: "infinity" },
  { op: "add", run: (x) => add(x, x), first: 3e38, value: "infinity" },
  { op: "sub", run: (x) => sub(x, x), first: INFINITE, value: "NaN" },
  { op: "sub", run: (x) => sub(mul(x, -1), x), first: 3e38, value: "infinity" },
  { op: "sin", run: sin, first: INFINITE, value: "NaN" },
  { op: "cos", run: cos, first: INFINITE, value: "NaN" },
  { op: "sum", run: (x) => sum(concat([x, x]), { axis: 0 }), first: 3e38, value: "infinity" },
  { op: "sum", run: (x) => mean(concat([x, mul(x, -1)])), first: INFINITE, value: "NaN" },
  { op: "matmul", run: (x) => matmul(x, x), first: 1e30, value: "infinity" },
  { op: "softmax", run: (x) => softmax(x), first: INFINITE, value: "NaN" },
  { op: "logSoftmax", run: (x) => logSoftmax(x), first: INFINITE, value: "NaN" },
  { op: "faulty", run: (x) => apply(faulty, [x], {}), first: 6, value: "NaN" },
  { op: "sqrt", run: sqrt, first: 0, value: "infinity", inGradient: true },
  { op: "pow", run: (x) => pow(x, 0.5), first: 0, value: "infinity", inGradient: true },
  { op: "reciprocal", run: reciprocal, first: 1e-30, value: "infinity", inGradient: true },
  { op: "div", run: (x) => div(1, x), first: 1e-30, value: "infinity", inGradient: true },
  {
    op: "logSumExp",
    run: (x) => logSumExp(reshape(x, [1, 4])),
    first: INFINITE,
    value: "NaN",
    inGradient: true,
  },
  { op: "customGrad", run: faultyGradient, first: -1, value: "NaN", inGradient: true },
];
