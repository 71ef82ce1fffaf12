import type { DType } from "../core/dtype.ts";
import { literal } from "./wgsl.ts";

/** A literal that is no zero, which code may be chosen by, and one token. */
const ORDINARY = /^(?!0(?:[ui]|\.0f)$)\(?-?\d\S*$/;

/**
 * Writes a number by which kernels may differ that are equal else: where a slice begins, the key of
 * a draw, a factor. Where some do, the number is data and their code is one; else it is a literal, as
 * zeros, NaN and infinities always are. Its brackets go when the code of all kernels is known.
 */
export function number(value: number, dtype: DType = "u32"): string {
  const text = literal(value, dtype);
  return ORDINARY.test(text) ? `⟨${text}⟩` : text;
}

/** What `number` writes. */
export const BRACKETED = /⟨([^⟩]*)⟩/g;

/** Begins, in brackets, the number that is where the state of a source begins when a plan runs. */
export const STATE_MARK = "@";

/** Whether a literal is a float: a compiler may round what it is part of in its own way. */
export function isFloatLiteral(literal: string): boolean {
  return /f\)?$/.test(literal);
}

/** Writes the number that a word is, of the type of a literal. */
export function typedWord(literal: string, word: string): string {
  return literal.endsWith("u")
    ? word
    : `bitcast<${isFloatLiteral(literal) ? "f32" : "i32"}>(${word})`;
}
