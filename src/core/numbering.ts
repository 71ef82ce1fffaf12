import { getOrInsert } from "./get-or-insert.ts";

/** Makes a function that numbers objects as they are first asked for, and keeps none of them alive. */
export function numbering(): (object: object) => number {
  const numbers = new WeakMap<object, number>();
  let next = 0;
  return (object) => getOrInsert(numbers, object, () => next++);
}
