import { GradusError } from "./errors.ts";

/**
 * Names a value's built-in class, whichever realm (an iframe, a worker, node:vm) it comes from, as
 * `instanceof` does not: `Float32Array`, `Map`, `Promise`, `HTMLCanvasElement`.
 */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Says whether a value is an object literal's, of any realm, or has no prototype. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (kindOf(value) !== "Object") return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Throws a `GradusError` if a buffer, or the one that an array lies in, was transferred away. */
export function checkAttached(op: string, data: ArrayBufferView | ArrayBufferLike): void {
  if (data.byteLength > 0 || !isDetached("buffer" in data ? data.buffer : data)) return;
  throw new GradusError(
    `${op}: a ${kindOf(data)} whose buffer was transferred; expected one that is still here. ` +
      "Copy it before postMessage or transfer",
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
