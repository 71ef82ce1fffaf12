import { FormatError } from "./errors.ts";

/** Views a file's content as bytes; throws `FormatError` if it is neither buffer nor byte array. */
export function asBytes(op: string, input: Uint8Array | ArrayBuffer): Uint8Array {
  if (input instanceof Uint8Array) return input;
  if (input instanceof ArrayBuffer) return new Uint8Array(input);
  throw new FormatError(`${op}: input of type ${typeof input}; expected Uint8Array or ArrayBuffer`);
}

/** Copies bytes `begin` to `end` into a buffer of their own, where any typed array is aligned. */
export function copyBytes(bytes: Uint8Array, begin: number, end: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(end - begin);
  copy.set(bytes.subarray(begin, end));
  return copy;
}
