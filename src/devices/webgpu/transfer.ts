import { allocate, convert, DTYPES, type DType, type NumericArray } from "../../core/dtype.ts";
import { sizeOf } from "../../core/shape.ts";
import type { Program } from "../../engine/program.ts";

/** Bytes that a tensor's elements take on the GPU, a multiple of four. */
export function bytesOf(dtype: DType, size: number): number {
  const { perWord, wordBytes } = DTYPES[dtype];
  return 4 * Math.ceil((wordBytes * Math.ceil(size / perWord)) / 4);
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

/** Gives values the form that they have on the GPU. */
export function toGpu(values: NumericArray, dtype: DType): NumericArray {
  if (isWidened(dtype)) return Uint32Array.from(values, (v) => convert(v, dtype));
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
  const values = allocate(dtype, size);
  if (isWidened(dtype)) values.set(new Uint32Array(bytes, start, size));
  else new Uint8Array(values.buffer).set(new Uint8Array(bytes, start, values.byteLength));
  return values;
}
