import { GradusError } from "../core/errors.ts";
import { assignAll, Parameter, State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";

/**
 * A part of a model: a function of a tensor together with the states it owns.
 *
 * States are found in own properties, in nested modules and in arrays of either, and are named by
 * the way to them, such as `hidden.weight` or `blocks.0.bias`. Private `#fields` are not searched.
 * @example
 * class Net extends Module {
 *   hidden = new Linear(784, 50);
 *   output = new Linear(50, 10);
 *   forward(x: Tensor) {
 *     return this.output.call(sigmoid(this.hidden.call(x)));
 *   }
 * }
 */
export abstract class Module {
  /** Computes the output; call it through `call`. */
  abstract forward(x: Tensor): Tensor;

  /** Applies the module to a tensor. */
  call(x: Tensor): Tensor {
    return this.forward(x);
  }

  /**
   * Lists all states by name, parameters and others, in the order of the properties, each once.
   * The states take these names, unless they already have longer ones from an enclosing module.
   */
  state(): Map<string, State> {
    const found = new Map<string, State>();
    walk(this, "", (name, state) => found.set(name, state), new Set());
    for (const [name, state] of found) {
      if (!state.name.endsWith(`.${name}`)) state.name = name;
    }
    return found;
  }

  /** Lists the parameters by name, as `state` does. */
  namedParameters(): Map<string, Parameter> {
    const named = new Map<string, Parameter>();
    for (const [name, state] of this.state()) {
      if (state instanceof Parameter) named.set(name, state);
    }
    return named;
  }

  /** Lists the parameters, in the order of the properties, each once. */
  parameters(): Parameter[] {
    return [...this.namedParameters().values()];
  }

  /**
   * Assigns every state the value of its name, all or nothing.
   * @throws GradusError when names are missing or unknown, ShapeError, DTypeError or DeviceError
   * when a value does not fit.
   */
  loadState(values: ReadonlyMap<string, Tensor>): void {
    const own = this.state();
    const missing = [...own.keys()].filter((name) => !values.has(name));
    const unknown = [...values.keys()].filter((name) => !own.has(name));
    if (missing.length > 0 || unknown.length > 0) {
      throw new GradusError(
        `loadState: missing [${missing.join(", ")}], unknown [${unknown.join(", ")}]; ` +
          "expected exactly the names of state()",
      );
    }
    assignAll([...own].map(([name, state]) => [state, values.get(name) as Tensor]));
  }

  /** Names what is searched for states; own properties unless a subclass says otherwise. */
  children(): Iterable<readonly [string, unknown]> {
    return Object.entries(this);
  }

  /** Frees all states. */
  dispose(): void {
    for (const state of this.state().values()) state.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function walk(
  value: unknown,
  path: string,
  found: (name: string, state: State) => void,
  seen: Set<unknown>,
): void {
  const isList = Array.isArray(value);
  if ((!isList && !(value instanceof Module) && !(value instanceof State)) || seen.has(value))
    return;
  seen.add(value);
  if (value instanceof State) {
    found(path, value);
    return;
  }
  const children = value instanceof Module ? value.children() : Object.entries(value);
  for (const [key, child] of children) walk(child, path ? `${path}.${key}` : key, found, seen);
}
