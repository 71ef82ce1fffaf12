import { checkAttached } from "./attached.ts";
import { FormatError } from "./errors.ts";
import { kindOf } from "./kind.ts";

/** Bytes in memory that nobody shares. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Views a file's content as bytes; throws `FormatError` if it is neither buffer nor byte array. */
export function asBytes(op: string, input: Uint8Array | ArrayBuffer): Uint8Array {
  const kind = kindOf(input);
  if (kind !== "Uint8Array" && kind !== "ArrayBuffer") {
    throw new FormatError(
      `${op}: input of type ${typeof input}; expected Uint8Array or ArrayBuffer`,
    );
  }
  checkAttached(op, input);
  return ArrayBuffer.isView(input) ? input : new Uint8Array(input);
}

/** Copies bytes `begin` to `end` into a buffer of their own, where any typed array is aligned. */
export function copyBytes(bytes: Uint8Array, begin: number, end: number): Bytes {
  const copy = new Uint8Array(end - begin);
  copy.set(bytes.subarray(begin, end));
  return copy;
}

/** Copies byte arrays into one, one behind the other. */
export function joinBytes(parts: readonly Uint8Array[]): Bytes {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Decodes UTF-8, keeping a byte order mark; null for other bytes, or more than a string can hold. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    // Decoders refuse shared memory, so it is copied.
    const own = kindOf(bytes.buffer) === "ArrayBuffer" ? bytes : copyBytes(bytes, 0, bytes.length);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(own);
  } catch {
    return null;
  }
}
