import type { DType } from "../core/dtype.ts";

/** A WGSL file and its name, for messages. */
export interface ShaderFile {
  readonly name: string;
  readonly source: string;
}

/** The WGSL type of a dtype's elements in expressions. */
export function wgslType(dtype: DType): string {
  return dtype === "u8" ? "u32" : dtype === "f64" ? "f32" : dtype;
}

/** Writes a number as a WGSL literal; infinities and NaN go by their bits, at run time. */
export function literal(value: number, dtype: DType): string {
  switch (dtype) {
    case "bool":
      return value ? "true" : "false";
    case "i32":
      return value === -2147483648 ? "(-2147483647i - 1i)" : `${value}i`;
    case "u32":
    case "u8":
      return `${value}u`;
    default:
      return floatLiteral(Math.fround(value));
  }
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
