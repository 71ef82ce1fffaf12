import { dispose } from "../core/dispose.ts";
import { Parameter, State } from "../graph/state.ts";
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
  /** Whether it is in training mode; set by `train` and `eval`. */
  training = false;

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
    for (const [name, part] of walk(this)) if (part instanceof State) found.set(name, part);
    for (const [name, state] of found) {
      if (!state.name.endsWith(`.${name}`)) state.name = name;
    }
    return found;
  }

  /** Lists the parameters that are not frozen by name, as `state` does. */
  namedParameters(): Map<string, Parameter> {
    const named = new Map<string, Parameter>();
    for (const [name, state] of this.state()) {
      if (state instanceof Parameter && state.trainable) named.set(name, state);
    }
    return named;
  }

  /** Lists the parameters that are not frozen, in the order of the properties, each once. */
  parameters(): Parameter[] {
    return [...this.namedParameters().values()];
  }

  /** Lists this module and those in it, each once, a module before its parts. */
  modules(): Module[] {
    return [...walk(this)].map(([, part]) => part).filter((part) => part instanceof Module);
  }

  /**
   * Puts this module and all in it into training mode, where `Dropout` drops; `trainStep` does so
   * itself. A compiled function keeps the mode in which it was traced.
   */
  train(training = true): this {
    for (const module of this.modules()) module.training = training;
    return this;
  }

  /** Puts this module and all in it into evaluation mode, the one in which they are made. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Leaves all parameters out of `parameters()`, so that optimizers made from then on keep them as
   * they are; gradients pass through.
   */
  freeze(frozen = true): this {
    for (const state of this.state().values()) {
      if (state instanceof Parameter) state.trainable = !frozen;
    }
    return this;
  }

  /** Takes `freeze` back. */
  unfreeze(): this {
    return this.freeze(false);
  }

  /** Names what is searched for states; own properties unless a subclass says otherwise. */
  children(): Iterable<readonly [string, unknown]> {
    return Object.entries(this);
  }

  /** Frees all states. */
  dispose(): void {
    for (const state of this.state().values()) state.dispose();
  }

  [dispose](): void {
    this.dispose();
  }
}

/** Lists the modules and states in a value by the ways to them, each once. */
function* walk(
  value: unknown,
  path = "",
  seen = new Set<unknown>(),
): Generator<[string, Module | State]> {
  if (seen.has(value)) return;
  seen.add(value);
  const isModule = value instanceof Module;
  if (isModule || value instanceof State) yield [path, value];
  const children = isModule ? value.children() : Array.isArray(value) ? Object.entries(value) : [];
  for (const [key, child] of children) yield* walk(child, path ? `${path}.${key}` : key, seen);
}
