import { DOTS, FORWARD } from "../core/advice.ts";
import { checkEach, checkFunctions, checkSurplus } from "../core/check.ts";
import { dispose } from "../core/dispose.ts";
import { GradusError } from "../core/errors.ts";
import { isPlainObject, kindOf } from "../core/kind.ts";
import { isMeant, type NamePattern } from "../core/name-match.ts";
import { numbering } from "../core/numbering.ts";
import { tools } from "../core/tools.ts";
import { type Parts, type Place, partsOf, walk } from "../core/tree.ts";
import type { Device } from "../graph/device.ts";
import { Parameter, State } from "../graph/state.ts";
import { checkTensors, loadMove, Tensor } from "../graph/tensor.ts";
import { type KnownByIdentity, traceKey } from "../graph/trace-key.ts";
import type { ModuleSummary, SummaryOptions } from "./module-summary.ts";
import { callLayer } from "./observe.ts";

/** A module of a tensor that gives one, or a plain function such as `sigmoid`. */
export type Layer = Module | ((x: Tensor) => Tensor);

/** A module, whatever it takes and gives. */
export type AnyModule = Module<never, unknown>;

/** How often what a model's `traceKey` tells may have changed. */
export const modelChanges = { count: 0 };

const numberOf = /* @__PURE__ */ numbering();

/**
 * A part of a model: a function together with the states it owns. It takes a tensor and gives one
 * unless its type says otherwise: `Module<[x: Tensor, mask?: Tensor]>` takes a second one at will,
 * `Module<[x: Tensor], [y: Tensor, state: Tensor]>` gives two.
 *
 * States are found in own properties, in nested modules and in arrays, plain objects, Maps and Sets
 * of these, nested too, and are named by the way to them: `hidden.weight`, `blocks.0.bias` for the
 * first of an array or Set, `heads.color.weight` for the key of an object or Map. Private `#fields`
 * cannot be searched, and other objects are not: their states are neither trained nor saved.
 * @example
 * class Net extends Module {
 *   hidden = new Linear(784, 50);
 *   output = new Linear(50, 10);
 *   forward(x: Tensor) {
 *     return this.output.call(sigmoid(this.hidden.call(x)));
 *   }
 * }
 * @example
 * class Gate extends Module<[x: Tensor, mask?: Tensor]> {
 *   gate = new Linear(8, 8);
 *   forward(x: Tensor, mask?: Tensor) {
 *     const y = sigmoid(this.gate.call(x));
 *     return mask ? mul(y, mask) : y;
 *   }
 * }
 * const gate = new Gate();
 * gate.call(ones([2, 8]), zeros([2, 8])).shape; // [2, 8]
 */
export abstract class Module<In extends readonly unknown[] = [x: Tensor], Out = Tensor>
  implements KnownByIdentity
{
  /**
   * Whether it is in training mode. Change it by `train` and `eval`, of this module alone too: a training step that has a plan
   * does not notice what assigns it directly.
   */
  training = false;

  constructor(...surplus: never[]) {
    checkSurplus(`${new.target.name}()`, surplus);
  }

  /**
   * Computes the output; call it through `call`. An input that may be left out is `mask?: Tensor`:
   * those with a default value are not counted among what it takes.
   */
  abstract forward(...inputs: In): Out;

  /**
   * Applies the module to its inputs, of which the first is a tensor or an array or plain object that
   * holds one.
   * @throws GradusError for anything else, and for more inputs than `forward` names; it may be given
   * any number where it names none, as in `forward(...parts)`.
   */
  call(...inputs: In): Out {
    const name = this.constructor.name;
    checkFunctions(name, { forward: this.forward });
    const { length } = this.forward;
    if (length > 0 && inputs.length > length) {
      throw new GradusError(
        `${name}: call with ${inputs.length} inputs; expected ${length}${FORWARD}`,
      );
    }
    if (!holdsTensor(inputs[0])) checkTensors(name, [inputs[0]]);
    return callLayer(this, () => this.forward(...inputs));
  }

  /**
   * Lists all states by name, parameters and others, in the order of the properties, each once.
   * The states take these names, unless they already have longer ones from an enclosing module.
   * @throws GradusError where two have one name, because a key contains a dot.
   */
  state(): Map<string, State> {
    const found = new Map<string, State>();
    for (const [name, part] of listParts(this)) {
      if (!(part instanceof State)) continue;
      if (found.has(name)) throw sameName(this, name);
      found.set(name, part);
    }
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
  modules(): AnyModule[] {
    return partsIn(this).filter((part): part is AnyModule => part instanceof Module);
  }

  /**
   * Puts this module and all in it into training mode, where `Dropout` drops; `trainStep` does so
   * itself. A compiled function keeps the mode in which it was traced, but has a plan for each mode
   * of a module among its arguments, and a training step for each of its model.
   */
  train(training = true): this {
    for (const module of this.modules()) {
      if (module.training !== training) modelChanges.count++;
      module.training = training;
    }
    return this;
  }

  /** Puts this module and all in it into evaluation mode, the one in which they are made. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Leaves parameters out of `parameters()`, so that optimizers made from then on keep them as they
   * are; gradients pass through.
   * @param match the names of those that are meant; all when left out. `false` takes all back.
   * @throws GradusError for a pattern that no parameter's name matches, or what is no pattern.
   * @example
   * const model = new Sequential({ encoder: new Linear(4, 8), head: new Linear(8, 2) });
   * model.freeze(/^encoder\./).parameters().map(({ name }) => name); // ["head.weight", "head.bias"]
   * model.freeze().unfreeze("head.bias").parameters().map(({ name }) => name); // ["head.bias"]
   */
  freeze(match: NamePattern | boolean = true): this {
    return setTrainable(this, match, !match);
  }

  /** Takes `freeze` back, for the parameters that are meant; for all when left out. */
  unfreeze(match: NamePattern | boolean = true): this {
    return setTrainable(this, match, !!match);
  }

  /** Names what is searched for states; own properties unless a subclass says otherwise. */
  children(): Iterable<readonly [string, unknown]> {
    return Object.entries(this);
  }

  /**
   * Tells compiled functions which parts it has and what modules run, of their modes and of frozen
   * parameters.
   */
  [traceKey](): string {
    const keys = partsIn(this).map((part) => {
      return [part, (part as AnyModule).forward ?? part].map(numberOf).concat(+isOn(part));
    });
    return keys.join();
  }

  /**
   * Lists the modules in this one with the shape of what each gives, if an input shape is given, and
   * how many parameters it has itself; prints them as a table unless told otherwise. Nothing is
   * computed; what is awaited is its code, which apps that print nothing do not load.
   * @throws GradusError or ShapeError, of the module concerned, for an input that it does not take.
   * @example await model.summary({ inputShape: [1, 784] });
   */
  async summary(options: SummaryOptions = {}, ...surplus: never[]): Promise<ModuleSummary> {
    const { summarize } = await tools.get();
    return summarize(this, listParts(this), options, surplus);
  }

  /**
   * Moves all states to another device, those of modules in it too, and frees them on the old one.
   * They stay the same objects, so that optimizers go on with them: move those as well. What was
   * compiled for the old device, such as a `trainStep`, is made anew.
   * @returns the module itself.
   * @throws DTypeError, before anything is moved, for a dtype that the device lacks; DeviceError for
   * what is no device. Where it fails, all states are where they were.
   * @example
   * const model = new Linear(2, 1);
   * const { device: cpu } = await init({ device: "cpu", isolated: true });
   * await model.to(cpu);
   * model.weight.device === cpu; // true
   */
  async to(device: Device, ...surplus: never[]): Promise<this> {
    await (await loadMove()).moveStates(this.state().values(), device, surplus);
    return this;
  }

  /** Frees all states. */
  dispose(): void {
    for (const state of this.state().values()) state.dispose();
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }
}

/** Has the parameters whose names match be trained, or not. */
function setTrainable<M extends AnyModule>(
  module: M,
  match: NamePattern | boolean,
  to: boolean,
): M {
  const all = [...module.state()].filter(([name]) => isMeant(name, match));
  for (const [, state] of all) if (state instanceof Parameter) state.trainable = to;
  modelChanges.count++;
  const isMet = () => all.length > 0 || match === !!match;
  checkEach("freeze", { match: `${match}` }, isMet, "a name of a state");
  return module;
}

/** Whether a module is in training mode, or a state not frozen. */
function isOn(part: Part): boolean {
  if (part instanceof Module) return part.training;
  return part instanceof Parameter && part.trainable;
}

/** Whether a value is no tensor but an array or a plain object that holds one. */
function holdsTensor(value: unknown, seen = new Set()): boolean {
  if (seen.size === seen.add(value).size) return false;
  return (partsOf(value) ?? []).some(
    ([, part]) => part instanceof Tensor || holdsTensor(part, seen),
  );
}

function sameName(module: AnyModule, name: string): GradusError {
  return new GradusError(
    `${module.constructor.name}: two states called "${name}"; expected a name of its own for each${DOTS}`,
  );
}

/** What a model is made of. */
export type Part = AnyModule | ((x: Tensor) => Tensor) | State;

/**
 * Lists the modules and states in a value by the ways to them, each once, a module before its parts,
 * and the functions.
 */
export function listParts(value: unknown): [string, Part][] {
  const found: [string, Part][] = [];
  const seen = new Set<unknown>();
  const open = (part: unknown, { path }: Place): Parts | null => {
    if (typeof part === "function") found.push([path.join("."), part as Layer]);
    if (typeof part !== "object" || part === null || seen.has(part)) return null;
    seen.add(part);
    if (part instanceof Module || part instanceof State) found.push([path.join("."), part]);
    return heldParts(part);
  };
  walk(value, open, () => {});
  return found;
}

/** The same without the ways. */
function partsIn(value: unknown): Part[] {
  return listParts(value).map(([, part]) => part);
}

/** What modules and their collections hold, by name; nothing for other objects, which stay closed. */
function heldParts(value: object): Parts {
  if (value instanceof Module) return [...value.children()];
  if (Array.isArray(value) || isPlainObject(value)) return Object.entries(value);
  const kind = kindOf(value);
  if (kind === "Set") return Object.entries([...(value as ReadonlySet<unknown>)]);
  if (kind !== "Map") return [];
  return [...(value as ReadonlyMap<unknown, unknown>)].map(([key, item], i) => {
    return [typeof key === "object" || typeof key === "function" ? `${i}` : String(key), item];
  });
}
