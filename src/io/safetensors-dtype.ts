/**
 * The typed array that holds each dtype, in the reference's order of alignment; F16, BF16 and the
 * F8 types are held as their bits, BOOL as bytes of 0 and 1.
 */
export const SAFETENSORS_ARRAYS = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  F8_E5M2: Uint8Array,
  F8_E4M3: Uint8Array,
  I16: Int16Array,
  U16: Uint16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  F32: Float32Array,
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
};

/** Element types that Gradus reads from and writes to a safetensors file. */
export type SafetensorsDType = keyof typeof SAFETENSORS_ARRAYS;
