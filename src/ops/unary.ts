import { BITS, BUILT_INS, EXP_LOG, NEAR_ZERO, TRIG } from "../kernels/shaders.ts";
import { add, div, mul, neg, square, sub } from "./arithmetic.ts";
import { greater } from "./compare.ts";
import { type UnaryFunction, unary } from "./elementwise.ts";
import { where } from "./where.ts";

/** Computes |x|; the gradient at 0 is 0. */
export const abs: UnaryFunction = unary({
  name: "abs",
  domain: "signed",
  js: Math.abs,
  loop: "abs",
  formula: "abs",
  vjp: (g, _, x) => [mul(g, sign(x))],
});

/** Computes −1, 0 or 1 by the sign of x; the gradient is 0 everywhere. */
export const sign: UnaryFunction = unary({
  name: "sign",
  domain: "signed",
  js: Math.sign,
  formula: "sign",
  libraries: BUILT_INS,
  vjp: null,
});

/** Computes eˣ. */
export const exp: UnaryFunction = unary({
  name: "exp",
  domain: "float",
  js: Math.exp,
  loop: "exp",
  formula: "g_exp",
  libraries: EXP_LOG,
  cost: 8,
  vjp: (g, y) => [mul(g, y)],
});

/** Computes eˣ − 1, accurately for small x. */
export const expm1: UnaryFunction = unary({
  name: "expm1",
  domain: "float",
  js: Math.expm1,
  formula: "g_expm1",
  libraries: NEAR_ZERO,
  cost: 8,
  vjp: (g, _, x) => [mul(g, exp(x))],
});

/** Computes the natural logarithm: −∞ at 0, NaN below. */
export const log: UnaryFunction = unary({
  name: "log",
  domain: "float",
  js: Math.log,
  loop: "log",
  formula: "g_log",
  libraries: EXP_LOG,
  cost: 8,
  vjp: (g, _, x) => [div(g, x)],
});

/** Computes log(1 + x), accurately for small x. */
export const log1p: UnaryFunction = unary({
  name: "log1p",
  domain: "float",
  js: Math.log1p,
  formula: "g_log1p",
  libraries: NEAR_ZERO,
  cost: 8,
  vjp: (g, _, x) => [div(g, add(x, 1))],
});

/** Computes √x; NaN below 0. */
export const sqrt: UnaryFunction = unary({
  name: "sqrt",
  domain: "float",
  js: Math.sqrt,
  loop: "sqrt",
  formula: "g_sqrt",
  libraries: BUILT_INS,
  cost: 4,
  vjp: (g, y) => [div(g, mul(y, 2))],
});

/** Computes the logistic function σ(x) = 1 / (1 + e⁻ˣ). */
export const sigmoid: UnaryFunction = unary({
  name: "sigmoid",
  domain: "float",
  js: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  loop: "sigmoid",
  formula: "g_sigmoid",
  libraries: EXP_LOG,
  cost: 10,
  vjp: (g, y) => [mul(g, mul(y, sub(1, y)))],
});

/** Computes the hyperbolic tangent. */
export const tanh: UnaryFunction = unary({
  name: "tanh",
  domain: "float",
  js: Math.tanh,
  loop: "tanh",
  formula: "g_tanh",
  libraries: NEAR_ZERO,
  cost: 10,
  vjp: (g, y) => [mul(g, sub(1, square(y)))],
});

/** Computes max(x, 0); the gradient at 0 is 0. */
export const relu: UnaryFunction = unary({
  name: "relu",
  domain: "signed",
  js: (x) => Math.max(x, 0),
  loop: "relu",
  formula: (m, x) => m.call("select", x, m.literal(0), m.call("<=", x, m.literal(0))),
  vjp: (g, y) => [where(greater(y, 0), g, 0)],
});

/** Computes log(1 + eˣ) without overflow. */
export const softplus: UnaryFunction = unary({
  name: "softplus",
  domain: "float",
  js: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  formula: "g_softplus",
  libraries: NEAR_ZERO,
  cost: 12,
  vjp: (g, _, x) => [mul(g, sigmoid(x))],
});

/** Computes log σ(x) = −softplus(−x) without overflow. */
export const logSigmoid: UnaryFunction = unary({
  name: "logSigmoid",
  domain: "float",
  js: (x) => -(Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  formula: (m, x) => m.call("-", m.call("g_softplus", m.call("-", x))),
  libraries: NEAR_ZERO,
  cost: 12,
  vjp: (g, _, x) => [mul(g, sigmoid(neg(x)))],
});

/** Computes the sine of x, in radians; within 1e-6 for |x| ≤ 10⁴ on WebGPU. */
export const sin: UnaryFunction = unary({
  name: "sin",
  domain: "float",
  js: Math.sin,
  formula: "g_sin",
  libraries: TRIG,
  cost: 10,
  vjp: (g, _, x) => [mul(g, cos(x))],
});

/** Computes the cosine of x, in radians; within 1e-6 for |x| ≤ 10⁴ on WebGPU. */
export const cos: UnaryFunction = unary({
  name: "cos",
  domain: "float",
  js: Math.cos,
  formula: "g_cos",
  libraries: TRIG,
  cost: 10,
  vjp: (g, _, x) => [neg(mul(g, sin(x)))],
});

/** Says which elements are NaN, by their bits. */
export const isNaN: UnaryFunction = unary({
  name: "isNaN",
  domain: "float",
  result: "bool",
  js: (x) => (Number.isNaN(x) ? 1 : 0),
  formula: "g_is_nan",
  libraries: BITS,
  vjp: null,
});

/** Says which elements are neither NaN nor infinite, by their bits. */
export const isFinite: UnaryFunction = unary({
  name: "isFinite",
  domain: "float",
  result: "bool",
  js: (x) => (Number.isFinite(x) ? 1 : 0),
  formula: "g_is_finite",
  libraries: BITS,
  vjp: null,
});

/** Says which elements are infinite, by their bits. */
export const isInf: UnaryFunction = unary({
  name: "isInf",
  domain: "float",
  result: "bool",
  js: (x) => (Math.abs(x) === Number.POSITIVE_INFINITY ? 1 : 0),
  formula: (m, x) => m.call("!", m.call("|", m.call("g_is_finite", x), m.call("g_is_nan", x))),
  libraries: BITS,
  vjp: null,
});
