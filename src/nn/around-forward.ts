import { getOrInsert } from "../core/get-or-insert.ts";
import { type AnyModule, modelChanges } from "./module.ts";

/** What a module computes of its inputs. */
export type Forward = (...inputs: readonly unknown[]) => unknown;

/** Computes a module's output around what it computed before. */
export type Around = (forward: Forward, inputs: readonly unknown[]) => unknown;

/** A module's own `forward`, and what lies around it, the innermost first. */
interface Wrapped {
  /** The descriptor of a `forward` that is a property of the module itself, not of its class. */
  readonly own: PropertyDescriptor | undefined;
  readonly forward: Forward;
  readonly around: Map<unknown, Around>;
}

const wrapped = new WeakMap<AnyModule, Wrapped>();

/**
 * Computes something around a module's `forward` from now on; `key` takes it away again. The module
 * stays the same object with states of the same names. Its `forward` is a property meanwhile, another
 * function after each change, by which compiled functions know that something changed.
 */
export function putAround(module: AnyModule, key: unknown, around: Around): void {
  const one = getOrInsert(wrapped, module, () => ({
    own: Object.getOwnPropertyDescriptor(module, "forward"),
    forward: module.forward as unknown as Forward,
    around: new Map(),
  }));
  one.around.set(key, around);
  wrap(module, one);
}

/** Takes away what `putAround` put there. */
export function takeAway(module: AnyModule, key: unknown): void {
  const one = wrapped.get(module);
  if (one?.around.delete(key)) wrap(module, one);
}

/** Has a module's `forward` run what lies around its own, which is there again when nothing does. */
function wrap(module: AnyModule, one: Wrapped): void {
  modelChanges.count++;
  if (one.around.size === 0) {
    wrapped.delete(module);
    if (one.own) Object.defineProperty(module, "forward", one.own);
    else Reflect.deleteProperty(module, "forward");
    return;
  }
  const forward = (...inputs: readonly unknown[]) => {
    const base: Forward = (...given) => one.forward.apply(module, [...given]);
    return [...one.around.values()].reduce(
      (inner: Forward, outer): Forward =>
        (...given) =>
          outer(inner, given),
      base,
    )(...inputs);
  };
  // How many inputs it takes.
  Object.defineProperty(forward, "length", { value: one.forward.length });
  Object.defineProperty(module, "forward", {
    value: forward,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}
