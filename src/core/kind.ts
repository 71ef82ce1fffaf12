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
