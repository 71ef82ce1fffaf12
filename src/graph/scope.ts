import { checkFunctions, checkSurplus, checkSynchronous } from "../core/check.ts";
import { allPartsOf, walk } from "../core/tree.ts";
import { announce, evaluateAll, observeCreation, Tensor } from "./tensor.ts";
import { tracedArrayOf } from "./traced-array.ts";

/**
 * Runs a synchronous function and frees every tensor created in it, except states and those in what
 * it returns, which are evaluated first. They are found in arrays, Maps, Sets and any object's own
 * properties, not in private `#fields`. Where a scope lies in another one, what it returns belongs to
 * the outer one. When the function throws, everything that it created is freed.
 * @throws GradusError when the function returns a promise: its tensors would outlive the scope.
 */
export function scope<T>(fn: () => T, ...surplus: never[]): T {
  checkSurplus("scope(fn)", surplus);
  checkFunctions("scope", { fn });
  const made: Tensor[] = [];
  const kept = new Set<Tensor>();
  try {
    const result = observeCreation((x) => made.push(x), fn); // states are not told of
    checkSynchronous("scope", result);
    const found = tensorsIn(result);
    evaluateAll([...found].filter((x) => !x.disposed));
    for (const x of found) kept.add(x);
    return result;
  } finally {
    for (const x of made) {
      if (kept.has(x)) announce(x);
      else x.dispose();
    }
  }
}

/** The tensors that a value holds, in whatever objects, each once. */
function tensorsIn(value: unknown): Set<Tensor> {
  const found = new Set<Tensor>();
  const seen = new Set<unknown>();
  const open = (part: unknown) => {
    if (part instanceof Tensor || seen.has(part) || tracedArrayOf(part)) return null;
    seen.add(part);
    return allPartsOf(part);
  };
  walk(value, open, (part) => {
    if (part instanceof Tensor) found.add(part);
  });
  return found;
}
