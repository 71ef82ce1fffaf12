import { isFloat } from "../core/dtype.ts";
import type { Scalars } from "../forms/scalars.ts";
import { FMOD } from "../kernels/shaders.ts";
import { div, mul, neg, sub } from "./arithmetic.ts";
import { byDType, type Given } from "./by-dtype.ts";
import type { BinaryFunction } from "./elementwise.ts";
import { sizedAs } from "./float-bits.ts";
import { round, roundToEven } from "./rounding.ts";

/** A whole number, or 1 for 0, which WGSL refuses as a divisor. */
function divisor<V>(m: Scalars<V>, b: V): V {
  return m.call("select", b, m.literal(1), m.call("==", b, m.literal(0)));
}

/** a − b · trunc(a / b), of whole numbers 0 where b is; it is a loop, so it gets a name. */
function cutRemainder<V>({ dtype, m, a, b, bind }: Given<V>): V {
  return bind(isFloat(dtype) ? m.call("g_fmod", a, b) : m.call("%", a, divisor(m, b)));
}

/**
 * Whether a remainder is not that of a quotient rounded down: it has not the sign of the divisor.
 */
function isOpposite<V>(m: Scalars<V>, r: V, b: V): V {
  const zero = m.literal(0);
  const below = m.call("&", m.call("<", r, zero), m.call(">", b, zero));
  const above = m.call("&", m.call(">", r, zero), m.call("<", b, zero));
  return m.call("|", below, above);
}

/**
 * Computes what is left of a when b is taken off as often as it goes, with the sign of a: a − b ·
 * trunc(a / b), exactly, as `%` of JavaScript and C's fmod. NaN for a = ±∞ and for b = 0, but 0 for
 * whole numbers and b = 0. The gradient is 1 for a and −trunc(a / b) for b.
 * @example await fmod(tensor([5, -5]), 3).toArray(); // [2, -2]
 */
export const fmod: BinaryFunction = byDType(
  {
    name: "fmod",
    domain: "number",
    libraries: FMOD,
    js: (a, b) => a % b, // NaN for b = 0, which whole numbers hold as 0
    cost: 12,
    vjp: (g, y, a, b) => [g, neg(mul(g, round(div(sub(a, y), b))))],
  },
  cutRemainder,
);

/**
 * Computes what is left of a when a multiple of b is taken off, with the sign of b: a − b · ⌊a /
 * b⌋, as `%` of Python and `remainder` of NumPy. NaN for a = ±∞ and for b = 0, but 0 for whole
 * numbers and b = 0. The gradient is 1 for a and −⌊a / b⌋ for b.
 * @example await remainder(tensor([5, -5]), 3).toArray(); // [2, 1]
 */
export const remainder: BinaryFunction = byDType(
  {
    name: "remainder",
    domain: "number",
    libraries: FMOD,
    js: (a, b) => {
      const r = a % b;
      if (r === 0) return sizedAs(0, b);
      return r < 0 === b < 0 ? r : r + b;
    },
    integer: (a, b) => (b === 0 ? 0 : a - b * Math.floor(a / b)),
    cost: 14,
    vjp: (g, _, a, b) => [g, neg(mul(g, floorDivide(a, b)))],
  },
  (given) => {
    const { dtype, m, b } = given;
    const r = cutRemainder(given);
    const y = m.call("select", r, m.call("+", r, b), isOpposite(m, r, b));
    if (!isFloat(dtype)) return y;
    const zero = m.literal(0);
    return m.call("select", y, m.call("g_copysign", zero, b), m.call("==", r, zero));
  },
);

/**
 * Computes ⌊a / b⌋ of the exact quotient, as `//` of Python and `floor_divide` of NumPy: 1 // 0.1
 * is 9, for the number nearest to 0.1 is larger. As a / b for b = 0, but 0 for whole numbers and b
 * = 0; the gradient is 0.
 * @example await floorDivide(tensor([5, -5]), 3).toArray(); // [1, -2]
 */
export const floorDivide: BinaryFunction = byDType(
  {
    name: "floorDivide",
    domain: "number",
    libraries: FMOD,
    js: (a, b) => {
      if (b === 0) return a / b;
      const r = a % b;
      const down = r !== 0 && r < 0 !== b < 0 ? 1 : 0;
      const q = roundToEven((a - r) / b) - down;
      return q === 0 ? sizedAs(0, a / b) : q;
    },
    integer: (a, b) => (b === 0 ? 0 : Math.floor(a / b)),
    cost: 16,
    vjp: null,
  },
  (given) => {
    const { dtype, m, a, b } = given;
    const r = cutRemainder(given);
    const [zero, one] = [0, 1].map((value) => m.literal(value));
    const down = m.call("select", zero, one, isOpposite(m, r, b));
    const isNothing = m.call("==", b, zero);
    if (!isFloat(dtype)) {
      const q = m.call("-", m.call("/", a, divisor(m, b)), down);
      return m.call("select", q, zero, isNothing);
    }
    const q = m.call("-", m.call("round", m.call("/", m.call("-", a, r), b)), down);
    const ratio = m.call("/", a, b);
    const signed = m.call("g_copysign", zero, ratio);
    const y = m.call("select", q, signed, m.call("==", q, zero));
    return m.call("select", y, ratio, isNothing);
  },
);
