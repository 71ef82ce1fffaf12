import { literal } from "../forms/wgsl.ts";

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

/** Writes a + b. */
export function exactSum(a: string, b: string): string {
  if (b === PLUS_ZERO) return `g_plus_zero(${a})`;
  if (a === PLUS_ZERO) return `g_plus_zero(${b})`;
  return `exact(${a} + ${b})`;
}

/** Writes a − b. */
export function exactDifference(a: string, b: string): string {
  if (a === PLUS_ZERO) return `g_plus_zero(-${b})`;
  if (b === MINUS_ZERO) return `g_plus_zero(${a})`;
  return `exact(${a} - ${b})`;
}

/** Writes a · b. */
export function exactProduct(a: string, b: string): string {
  if (isZero(b)) return `g_times_zero(${a}, ${b})`;
  if (isZero(a)) return `g_times_zero(${b}, ${a})`;
  return `exact(${a} * ${b})`;
}

/** Writes a / b. */
export function exactQuotient(a: string, b: string): string {
  if (isZero(a)) return `g_times_zero(1.0f / ${b}, ${a})`;
  if (b === INFINITY) return `g_times_zero(${a}, ${PLUS_ZERO})`;
  if (b === MINUS_INFINITY) return `g_times_zero(${a}, ${MINUS_ZERO})`;
  return `exact(${a} / ${b})`;
}

/** Writes max(a, b). */
export function exactMaximum(a: string, b: string): string {
  if (isOrdinary(b)) return `select(${a}, ${b}, ${a} <= ${b})`;
  return isOrdinary(a) ? exactMaximum(b, a) : `g_max(${a}, ${b})`;
}

/** Writes min(a, b). */
export function exactMinimum(a: string, b: string): string {
  if (isOrdinary(b)) return `select(${a}, ${b}, ${a} > ${b})`;
  return isOrdinary(a) ? exactMinimum(b, a) : `g_min(${a}, ${b})`;
}

/** Whether a value is a literal other than −0, NaN and the infinities, which are written as bits. */
function isOrdinary(value: string): boolean {
  return /^⟨?\(?-?\d[\w.+-]*f\)?⟩?$/.test(value);
}

function isZero(value: string): boolean {
  return value === PLUS_ZERO || value === MINUS_ZERO;
}
