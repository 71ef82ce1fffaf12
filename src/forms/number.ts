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
