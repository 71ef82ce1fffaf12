import { TRANSFERRED } from "./advice.ts";
import { GradusError } from "./errors.ts";
import { kindOf } from "./kind.ts";

/** Throws a `GradusError` if a buffer, or the one that an array lies in, was transferred away. */
export function checkAttached(op: string, data: ArrayBufferView | ArrayBufferLike): void {
  if (data.byteLength > 0 || !isDetached("buffer" in data ? data.buffer : data)) return;
  throw new GradusError(
    `${op}: a ${kindOf(data)} whose buffer was transferred; expected one that is still here` +
      TRANSFERRED,
  );
}

function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
