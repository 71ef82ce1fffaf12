import { numbersOf } from "./advice.ts";
import { checkAttached } from "./attached.ts";
import { DTypeError } from "./errors.ts";
import { kindOf } from "./kind.ts";

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

const DTYPES: Readonly<Record<string, DType>> = {
  Float32Array: "f32",
  Float64Array: "f64",
  Int32Array: "i32",
  Uint32Array: "u32",
  Uint8Array: "u8",
  Uint8ClampedArray: "u8",
};

/**
 * Names the dtype that a typed array's elements have; `Uint8Array` is `u8`. Throws a `DTypeError` for
 * other arrays, a `GradusError` for one whose buffer was transferred away.
 */
export function dtypeOfArray(op: string, data: ArrayBufferView): DType {
  const kind = kindOf(data);
  if (!Object.hasOwn(DTYPES, kind)) {
    throw new DTypeError(
      `${op}: data is a ${kind}; expected Float32Array, Float64Array, Int32Array, Uint32Array or ` +
        `Uint8Array${numbersOf(data)}`,
    );
  }
  checkAttached(op, data);
  return DTYPES[kind];
}

/** The rule by which every cast turns a number into an element, on all devices. */
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
