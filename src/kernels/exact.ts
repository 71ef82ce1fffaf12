import { type FloatRule, literal } from "../forms/wgsl.ts";

/*
 * The WGSL of f32 arithmetic. Compilers may assume that no value is NaN or infinite, and some do: they
 * take x · 0 and 0 / x for 0, x + 0 for x, (a + b) − b and (a · b) / b for a, (x · c) · d for x · (c · d).
 * Bits that pass through `exact` hide a result from such rules, and literals have functions of their
 * own; neither costs anything where numbers are loaded.
 */

const PLUS_ZERO = /* @__PURE__ */ literal(0, "f32");
const MINUS_ZERO = /* @__PURE__ */ literal(-0, "f32");
const INFINITY = /* @__PURE__ */ literal(Number.POSITIVE_INFINITY, "f32");
const MINUS_INFINITY = /* @__PURE__ */ literal(Number.NEGATIVE_INFINITY, "f32");

/** Writes arithmetic of floats of which one is a literal, by lib/bits.wgsl. */
export const arithmetic: FloatRule = (name, a, b) => {
  const plusZero = (x: string) => `g_plus_zero(${x})`;
  const timesZero = (x: string, zero: string) => `g_times_zero(${x}, ${zero})`;
  if (name === "+" && b === PLUS_ZERO) return plusZero(a);
  if (name === "+" && a === PLUS_ZERO) return plusZero(b);
  if (name === "-" && a === PLUS_ZERO && b) return plusZero(`-${b}`);
  if (name === "-" && b === MINUS_ZERO) return plusZero(a);
  if (name === "*" && isZero(b)) return timesZero(a, b);
  if (name === "*" && isZero(a)) return timesZero(b, a);
  if (name === "/" && isZero(a)) return timesZero(`1.0f / ${b}`, a);
  if (name === "/" && b === INFINITY) return timesZero(a, PLUS_ZERO);
  return name === "/" && b === MINUS_INFINITY && timesZero(a, MINUS_ZERO);
};

/** Writes what lib/built-ins.wgsl has in place of built-in functions of floats. */
export const builtIn: FloatRule = (name, a, b) => {
  const isMax = name === "max";
  if (isMax || name === "min") {
    const [x, y] = isOrdinary(b) ? [a, b] : [b, a];
    const test = isMax ? "<=" : ">";
    return isOrdinary(y) ? `select(${x}, ${y}, ${x} ${test} ${y})` : `g_${name}(${a}, ${b})`;
  }
  return name === "sign" && `g_sign(${a})`;
};

/** Whether a value is a literal other than −0, NaN and the infinities, which are written as bits. */
function isOrdinary(value: string): boolean {
  return /^⟨?\(?-?\d[\w.+-]*f\)?⟩?$/.test(value);
}

function isZero(value: string): boolean {
  return value === PLUS_ZERO || value === MINUS_ZERO;
}
