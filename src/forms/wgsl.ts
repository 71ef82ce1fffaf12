import { DTYPES, type DType, is } from "../core/dtype.ts";

/** A WGSL file and its name, for messages. */
export interface ShaderFile {
  readonly name: string;
  readonly source: string;
}

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

function floatLiteral(value: number): string {
  if (Object.is(value, -0)) return "bits_to_f32(0x80000000u)"; // -0.0f may lose its sign
  if (Number.isNaN(value)) return "bits_to_f32(0x7fc00000u)";
  if (value === Number.POSITIVE_INFINITY) return "bits_to_f32(0x7f800000u)";
  if (value === Number.NEGATIVE_INFINITY) return "bits_to_f32(0xff800000u)";
  const text = String(value);
  const mantissa = /[.e]/.test(text) ? text : `${text}.0`;
  return value < 0 ? `(${mantissa}f)` : `${mantissa}f`;
}
