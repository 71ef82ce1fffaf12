import { checkKinds, checkSurplus } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { Parameter, type PyTorchForm, type State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { putAround, takeAway } from "./around-forward.ts";
import { countHolders } from "./holders.ts";
import { type AnyModule, Module } from "./module.ts";

/** How a parameter of a module is computed from other states. */
interface Computed {
  /** Where those states lie in the module. */
  readonly states: Readonly<Record<string, State>>;
  readonly pytorch: PyTorchForm | null | undefined;
  readonly value: () => Tensor;
}

/** A module → what is computed in it, by name. */
const computed = new WeakMap<AnyModule, Map<string, Computed>>();

/**
 * The parameter of a module that is about to be computed; throws a `GradusError` for none, one that
 * another is computed from, and one that lies in the module twice.
 */
export function parameterOf(op: string, module: AnyModule, name: string): Parameter {
  checkKinds(op, { module }, (x) => x instanceof Module, "a module");
  const found = Object.getOwnPropertyDescriptor(module, name)?.value;
  const used = [...(computed.get(module)?.values() ?? [])].flatMap((one) =>
    Object.keys(one.states),
  );
  if (found instanceof Parameter && !used.includes(name)) {
    const count = countHolders(module, found);
    if (count < 2) return found;
    throw new GradusError(
      `${op}: ${quote(name)} of ${module.constructor.name} lies in it ${count} times; expected a parameter ` +
        "of its own, since its memory is freed",
    );
  }
  const own = Object.entries(module).filter(([key, part]) => {
    return part instanceof Parameter && !used.includes(key);
  });
  const names = own.map(([key]) => key).join(", ") || "none";
  throw new GradusError(
    `${op}: ${quote(name)} of ${module.constructor.name}; expected the name of a parameter of it: ${names}`,
  );
}

/**
 * Computes a parameter of a module from other states from now on, once in each call of the module.
 * The parameter's memory is freed: what was made for it, such as an optimizer, has to be made anew.
 * @param value gives it, without any effect.
 * @param during gives it in a call of the module.
 */
export function computeParameter(
  module: AnyModule,
  name: string,
  states: Readonly<Record<string, State>>,
  value: () => Tensor,
  during = value,
): void {
  const before = (module as unknown as Record<string, Parameter>)[name];
  const { pytorch } = before;
  let present: Tensor | null = null;
  Reflect.deleteProperty(module, name);
  Object.defineProperty(module, name, { configurable: true, get: () => present ?? value() });
  Object.assign(module, states);
  const own = computed.get(module) ?? new Map<string, Computed>();
  computed.set(module, own.set(name, { states, pytorch, value }));
  putAround(module, `computed ${name}`, (forward, inputs) => {
    present = during();
    try {
      return forward(...inputs);
    } finally {
      present = null;
    }
  });
  before.dispose();
}

/**
 * Makes what `weightNorm` or `spectralNorm` compute a parameter again, of the value that it has; frozen
 * where what it was computed from is.
 * @param name the parameter's; `"weight"` when left out.
 * @returns the module itself.
 * @throws GradusError where no such parameter is computed.
 * @example removeParametrization(weightNorm(new Linear(3, 2)));
 */
export function removeParametrization<M extends AnyModule>(
  module: M,
  name = "weight",
  ...surplus: never[]
): M {
  const op = "removeParametrization";
  checkSurplus("removeParametrization(module, name)", surplus);
  checkKinds(op, { module }, (x) => x instanceof Module, "a module");
  const own = computed.get(module);
  const one = own?.get(name);
  if (!own || !one) {
    const names = [...(own?.keys() ?? [])].join(", ") || "none";
    throw new GradusError(`${op}: ${quote(name)}; expected what is computed: ${names}`);
  }
  const { pytorch, states } = one;
  const parameter = new Parameter(one.value(), { name, ...(pytorch !== undefined && { pytorch }) });
  const isTrained = (state: State) => state instanceof Parameter && state.trainable;
  parameter.trainable = Object.values(states).some(isTrained);
  own.delete(name);
  takeAway(module, `computed ${name}`);
  for (const key of Object.keys(states)) Reflect.deleteProperty(module, key);
  Object.defineProperty(module, name, {
    value: parameter,
    configurable: true,
    enumerable: true,
    writable: true,
  });
  for (const state of Object.values(states)) state.dispose();
  return module;
}
