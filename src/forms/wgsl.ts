import { DTYPES, type DType, is } from "../core/dtype.ts";
import type { Operations } from "./scalars.ts";

/** A WGSL file and its name, for messages. */
export interface ShaderFile {
  readonly name: string;
  readonly source: string;
  /** How operations on floats are written by its functions. */
  readonly floats?: FloatRule;
  /** Whether few apps call its functions, so that devices may load their own code for them apart. */
  readonly isRare?: boolean;
}

/** Begins the line before a text and the function's that it is part of, for messages; a name follows. */
export const MARK_BEFORE = "// before ";

/** Begins the line behind it. */
export const MARK_BEHIND = "// behind ";

/** Writes an operation where that is another way than the usual one. */
export type FloatRule = (name: keyof Operations<string>, a: string, b: string) => string | false;

/** The WGSL type of a dtype's elements in expressions. */
export function wgslType(dtype: DType): string {
  return DTYPES[dtype].wgsl;
}

/** The WGSL type in which kernels accumulate a dtype's elements. */
export function accumulator(dtype: DType): string {
  return wgslType(DTYPES[dtype].accumulate);
}

/** Writes a number as a WGSL literal; infinities and NaN go by their bits, at run time. */
export function literal(value: number, dtype: DType): string {
  if (is(dtype, "float")) return floatLiteral(Math.fround(value));
  if (is(dtype, "bool")) return value ? "true" : "false";
  const { min, wgsl } = DTYPES[dtype];
  const suffix = wgsl[0];
  // A minus is no part of a literal, and no literal is as large as −min.
  return value < 0 && value === min ? `(${value + 1}${suffix} - 1${suffix})` : `${value}${suffix}`;
}

/** Writes the conversion of a value between WGSL types; nothing where they are one. */
export function converted(value: string, from: string, to: string): string {
  return from === to ? value : `${to}(${value})`;
}

/** The bits of an f32. */
export function bitsOf(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0];
}

function floatLiteral(value: number): string {
  // -0.0f may lose its sign.
  if (!Number.isFinite(value) || Object.is(value, -0)) {
    return `bits_to_f32(0x${bitsOf(value).toString(16)}u)`;
  }
  const text = String(value);
  const mantissa = /[.e]/.test(text) ? text : `${text}.0`;
  return value < 0 ? `(${mantissa}f)` : `${mantissa}f`;
}
