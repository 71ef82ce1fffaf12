import { allocate, type DType, type NumericArray } from "../../core/dtype.ts";

/** Bytes that a tensor's elements take on the GPU: `bool` is a word, `u8` is packed in words. */
export function bytesOf(dtype: DType, size: number): number {
  return dtype === "u8" ? Math.ceil(size / 4) * 4 : size * 4;
}

/** Gives values the form that they have on the GPU. */
export function toGpu(values: NumericArray, dtype: DType): NumericArray {
  if (dtype === "bool") return Uint32Array.from(values, (v) => (v ? 1 : 0));
  if (values.byteLength % 4 === 0) return values;
  const padded = new Uint8Array(bytesOf(dtype, values.length));
  padded.set(values);
  return padded;
}

/** Gives bytes from the GPU, from `start` on, the form that they have on the host. */
export function fromGpu(
  bytes: ArrayBuffer,
  start: number,
  dtype: DType,
  size: number,
): NumericArray {
  if (dtype === "bool") return Uint8Array.from(new Uint32Array(bytes, start, size));
  const values = allocate(dtype, size);
  new Uint8Array(values.buffer).set(new Uint8Array(bytes, start, values.byteLength));
  return values;
}
