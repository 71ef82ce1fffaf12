import { allocate, DTYPES, type DType, type NumericArray } from "../../core/dtype.ts";
import { sizeOf } from "../../core/shape.ts";
import type { Program } from "../../engine/program.ts";

/** Bytes that a tensor's elements take on the GPU, a multiple of four. */
export function bytesOf(dtype: DType, size: number): number {
  const { perWord, wordBytes } = DTYPES[dtype];
  return wholeWords(wordBytes * Math.ceil(size / perWord));
}

/** The bytes of as many words as so many bytes take. */
export function wholeWords(bytes: number): number {
  return 4 * Math.ceil(bytes / 4);
}

/** Bytes of a step's values in memory. */
export function stepBytes({ steps }: Program, step: number): number {
  const { dtype, shape } = steps[step];
  return bytesOf(dtype, sizeOf(shape));
}

/** Whether an element takes more bytes on the GPU than on the host, as a bool does. */
function isWidened(dtype: DType): boolean {
  const { array, perWord, wordBytes } = DTYPES[dtype];
  return array.BYTES_PER_ELEMENT * perWord < wordBytes;
}

/** Gives values the form that they have on the GPU, where a last word may be filled up with zeros. */
export function toGpu(values: NumericArray, dtype: DType): Uint8Array {
  return bytesIn(isWidened(dtype) ? Uint32Array.from(values, DTYPES[dtype].convert) : values);
}

/** The bytes of an array. */
export function bytesIn({ buffer, byteOffset, byteLength }: NumericArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Gives bytes from the GPU, from `start` on, the form that they have on the host. */
export function fromGpu(
  bytes: ArrayBuffer,
  start: number,
  dtype: DType,
  size: number,
): NumericArray {
  const values = allocate(dtype, size);
  if (isWidened(dtype)) values.set(new Uint32Array(bytes, start, size));
  else new Uint8Array(values.buffer).set(new Uint8Array(bytes, start, values.byteLength));
  return values;
}
