import { GradusError } from "../core/errors.ts";
import { State } from "./state.ts";
import { evaluate, observeCreation, Tensor } from "./tensor.ts";

/**
 * Runs a synchronous function and frees every tensor created in it, except states and what it
 * returns (a tensor, or arrays and plain objects of them), which is evaluated first.
 * @throws GradusError when the function returns a promise: its tensors would outlive the scope.
 */
export function scope<T>(fn: () => T): T {
  const { result, tensors } = observeCreation(fn);
  if (result instanceof Promise) {
    throw new GradusError("scope: fn returned a promise; expected a synchronous function");
  }
  const kept = new Set<Tensor>();
  collect(result, kept);
  evaluate(...[...kept].filter((x) => !x.disposed));
  for (const x of tensors) if (!kept.has(x) && !(x instanceof State)) x.dispose();
  return result;
}

function collect(value: unknown, found: Set<Tensor>): void {
  if (value instanceof Tensor) found.add(value);
  else if (Array.isArray(value)) for (const item of value) collect(item, found);
  else if (value !== null && typeof value === "object") {
    for (const item of Object.values(value)) collect(item, found);
  }
}
