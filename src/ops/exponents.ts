import { BASE_TWO } from "../kernels/shaders.ts";
import { div, mul } from "./arithmetic.ts";
import { type UnaryFunction, unary } from "./elementwise.ts";

/** Computes 2ˣ, which is exact for whole numbers. */
export const exp2: UnaryFunction = unary({
  name: "exp2",
  domain: "float",
  js: (x) => 2 ** x,
  formula: "g_exp2",
  libraries: BASE_TWO,
  cost: 8,
  vjp: (g, y) => [mul(mul(g, y), Math.LN2)],
});

/** Computes the logarithm to base 2, which is exact for powers of two: −∞ at 0, NaN below. */
export const log2: UnaryFunction = unary({
  name: "log2",
  domain: "float",
  js: Math.log2,
  formula: "g_log2",
  libraries: BASE_TWO,
  cost: 10,
  vjp: (g, _, x) => [div(g, mul(x, Math.LN2))],
});

/** Computes the logarithm to base 10: −∞ at 0, NaN below. */
export const log10: UnaryFunction = unary({
  name: "log10",
  domain: "float",
  js: Math.log10,
  formula: (m, x) => m.call("*", m.call("g_log2", x), m.literal(Math.log10(2))),
  libraries: BASE_TWO,
  cost: 11,
  vjp: (g, _, x) => [div(g, mul(x, Math.LN10))],
});
