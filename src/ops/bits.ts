import type { DType } from "../core/dtype.ts";
import type { Formula } from "../forms/scalars.ts";
import { wgslType } from "../forms/wgsl.ts";
import { SHIFTS } from "../kernels/shaders.ts";
import { byDType } from "./by-dtype.ts";
import { type BinaryFunction, binary, type UnaryFunction, unary } from "./elementwise.ts";

/** What functions of a dtype have at the end of their names. */
function wordOf(dtype: DType) {
  return wgslType(dtype) as "i32" | "u32";
}

/* @__NO_SIDE_EFFECTS__ */
function bitwise(
  name: string,
  formula: Formula,
  js: (a: number, b: number) => number,
): BinaryFunction {
  return binary({ name, domain: "index", js, formula, vjp: null });
}

/** Takes the bits that whole numbers a and b both have. */
export const bitwiseAnd: BinaryFunction = bitwise("bitwiseAnd", "&", (a, b) => a & b);

/** Takes the bits that at least one of whole numbers a and b has. */
export const bitwiseOr: BinaryFunction = bitwise("bitwiseOr", "|", (a, b) => a | b);

/** Takes the bits that one of whole numbers a and b has and the other has not. */
export const bitwiseXor: BinaryFunction = bitwise("bitwiseXor", "^", (a, b) => a ^ b);

/** Takes the bits that a whole number has not: −x − 1 of i32, 2³² − 1 − x of u32. */
export const bitwiseNot: UnaryFunction = unary({
  name: "bitwiseNot",
  domain: "index",
  js: (x) => ~x,
  formula: "~",
  vjp: null,
});

/** Whether a shift by n bits leaves any of 32. */
function isInside(n: number): boolean {
  return n >= 0 && n < 32;
}

/**
 * Shifts the bits of whole numbers to the left: a · 2ⁿ modulo 2³². All go out, and 0 is left, where
 * n is below 0 or above 31.
 * @example await bitwiseLeftShift(tensor([1, 3], { dtype: "i32" }), 2).toArray(); // [4, 12]
 */
export const bitwiseLeftShift: BinaryFunction = byDType(
  {
    name: "bitwiseLeftShift",
    domain: "index",
    js: (a, n) => (isInside(n) ? a << n : 0),
    libraries: SHIFTS,
    vjp: null,
  },
  ({ dtype, m, a, b }) => m.call(`shift_left_${wordOf(dtype)}`, a, b),
);

/**
 * Shifts the bits of whole numbers to the right: ⌊a / 2ⁿ⌋. All go out where n is below 0 or above
 * 31: 0 is left, and −1 of a number below 0.
 * @example await bitwiseRightShift(tensor([5, -5], { dtype: "i32" }), 1).toArray(); // [2, -3]
 */
export const bitwiseRightShift: BinaryFunction = byDType(
  {
    name: "bitwiseRightShift",
    domain: "index",
    js: (a, n) => Math.floor(a / 2 ** (isInside(n) ? n : 32)),
    libraries: SHIFTS,
    vjp: null,
  },
  ({ dtype, m, a, b }) => m.call(`shift_right_${wordOf(dtype)}`, a, b),
);
