import { dispose } from "./dispose.ts";

/** What may free something when it is no longer needed. */
interface Freed {
  [dispose]?: unknown;
  dispose?: unknown;
}

/** Frees a value that can be freed, by `Symbol.dispose` or `dispose`; leaves others. */
export function release(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const held = value as Freed;
  const free = held[dispose] ?? held.dispose;
  if (typeof free === "function") free.call(value);
}
