import { DTypeError } from "./errors.ts";

/** Element types. `f64` lives on the CPU only; `u8` is storage for data sets: cast it before arithmetic. */
export type DType = "f32" | "i32" | "u32" | "bool" | "f64" | "u8";

/** Typed arrays that hold tensor elements; `bool` and `u8` share `Uint8Array`. */
export type NumericArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

const ARRAYS = {
  f32: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  bool: Uint8Array,
  f64: Float64Array,
  u8: Uint8Array,
} as const;

/** Allocates `size` zeros of a dtype. */
export function allocate(dtype: DType, size: number): NumericArray {
  return new ARRAYS[dtype](size);
}

/** Sees the first bytes of a buffer as `size` elements of a dtype. */
export function viewBuffer(dtype: DType, buffer: ArrayBuffer, size: number): NumericArray {
  return new ARRAYS[dtype](buffer, 0, size);
}

/** Bytes of one element in a typed array. */
export function bytesPerElement(dtype: DType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** Says whether a value names a dtype. */
export function isDType(value: unknown): value is DType {
  return typeof value === "string" && Object.hasOwn(ARRAYS, value);
}

/** Says whether a dtype is a floating-point one. */
export function isFloat(dtype: DType): boolean {
  return dtype === "f32" || dtype === "f64";
}

/** Names the dtype that a typed array's elements have; `Uint8Array` is `u8`. */
export function dtypeOfArray(op: string, data: ArrayBufferView): DType {
  if (data instanceof Float32Array) return "f32";
  if (data instanceof Float64Array) return "f64";
  if (data instanceof Int32Array) return "i32";
  if (data instanceof Uint32Array) return "u32";
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return "u8";
  throw new DTypeError(
    `${op}: data is a ${data.constructor.name}; expected Float32Array, Float64Array, Int32Array, ` +
      "Uint32Array or Uint8Array",
  );
}

/** The rule by which `toDType` and every cast turn a number into an element, on all devices. */
export function convert(value: number, dtype: DType): number {
  switch (dtype) {
    case "f32":
      return Math.fround(value);
    case "f64":
      return value;
    case "bool":
      return value !== 0 ? 1 : 0;
    case "i32":
      return saturate(value, -2147483648, 2147483647);
    case "u32":
      return saturate(value, 0, 4294967295);
    case "u8":
      return saturate(value, 0, 255);
  }
}

function saturate(value: number, low: number, high: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.min(high, Math.max(low, Math.trunc(value)));
}
