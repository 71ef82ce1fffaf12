import { BITS } from "../kernels/shaders.ts";
import { type UnaryFunction, unary } from "./elementwise.ts";

/** Rounds up to a whole number; the gradient is 0 everywhere. */
export const ceil: UnaryFunction = unary({
  name: "ceil",
  domain: "float",
  js: Math.ceil,
  formula: "ceil",
  vjp: null,
});

/** Rounds towards 0 to a whole number; the gradient is 0 everywhere. */
export const trunc: UnaryFunction = unary({
  name: "trunc",
  domain: "float",
  js: Math.trunc,
  formula: "trunc",
  vjp: null,
});

/**
 * Rounds to the nearest whole number, of two equally near ones to the even one; the gradient is 0
 * everywhere.
 * Source: IEEE 754-2019, section 5.9, roundToIntegralTiesToEven.
 * @example await round(tensor([0.5, 1.5, 2.5, -0.6])).toArray(); // [0, 2, 2, -1]
 */
export const round: UnaryFunction = unary({
  name: "round",
  domain: "float",
  js: roundToEven,
  formula: "round",
  vjp: null,
});

/** A sum of 2⁵² has no digits behind the point: the processor rounds them off, to even. */
export function roundToEven(x: number): number {
  const size = Math.abs(x);
  const whole = size < 2 ** 52 ? size + 2 ** 52 - 2 ** 52 : size;
  return x < 0 || Object.is(x, -0) ? -whole : whole;
}

/**
 * Computes x − trunc(x), the digits behind the point with the sign of x: exactly, where x − ⌊x⌋
 * would round to 1 for small x below 0. NaN for ±∞; the gradient is 1.
 * @example await fract(tensor([2.25, -2.25])).toArray(); // [0.25, -0.25]
 */
export const fract: UnaryFunction = unary({
  name: "fract",
  domain: "float",
  js: (x) => x - Math.trunc(x),
  formula: (m, x) => m.call("-", x, m.call("trunc", x)),
  libraries: BITS,
  vjp: (g) => [g],
});
