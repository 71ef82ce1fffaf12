import { didYouMean, instanceOf } from "../core/advice.ts";
import { describeValue, isInteger } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { isPlainObject } from "../core/kind.ts";
import { type AnyModule, Module } from "./module.ts";

/** What holds modules for others to call: it is itself not called. */
abstract class Container extends Module<never, never> {
  override forward(): never {
    const { name } = this.constructor;
    throw new GradusError(
      `${name}: a call; expected a call of a module in it. Use Sequential for a chain`,
    );
  }
}

/**
 * Holds modules in order, for `forward` to go through as it likes. Their states are named `0.weight`
 * and so on. After `torch.nn.ModuleList`; a plain array as a property of a module serves as well.
 * @throws GradusError for what is no module.
 * @example
 * class Deep extends Module {
 *   blocks = new ModuleList([1, 2, 3].map((seed) => new Linear(8, 8, { seed })));
 *   forward(x: Tensor) {
 *     let y = x;
 *     for (const block of this.blocks) y = add(y, tanh(block.call(y)));
 *     return y;
 *   }
 * }
 * new Deep().namedParameters().has("blocks.2.bias"); // true
 */
export class ModuleList<M extends AnyModule = Module> extends Container {
  readonly #items: M[] = [];

  constructor(modules: Iterable<M> = [], ...surplus: never[]) {
    super(...surplus);
    this.extend(modules);
  }

  /** How many modules there are. */
  get length(): number {
    return this.#items.length;
  }

  /**
   * Gives the module at a place; counted from the end where it is negative.
   * @throws GradusError where there is none.
   */
  at(i: number): M {
    const { length } = this.#items;
    if (isInteger(i, -length, length - 1)) return this.#items.at(i) as M;
    const rule = length
      ? `an integer from ${-length} to ${length - 1}`
      : "a list that holds modules";
    throw new GradusError(`ModuleList: at ${describeValue(i)}; expected ${rule}`);
  }

  /** Adds a module at the end. */
  append(module: M): this {
    return this.insert(this.length, module);
  }

  /** Adds modules at the end, all or none. */
  extend(modules: Iterable<M>): this {
    const added = listOf("ModuleList", modules);
    for (const [i, module] of added.entries()) checkModule("ModuleList", `${i}`, module);
    this.#items.push(...(added as M[]));
    return this;
  }

  /** Adds a module before the one at a place, or at the end. */
  insert(i: number, module: M): this {
    if (!isInteger(i, 0, this.length)) {
      const given = describeValue(i);
      throw new GradusError(
        `ModuleList: insert at ${given}; expected an integer from 0 to ${this.length}`,
      );
    }
    checkModule("ModuleList", `${i}`, module);
    this.#items.splice(i, 0, module);
    return this;
  }

  /** Goes through the modules in order. */
  [Symbol.iterator](): IterableIterator<M> {
    return this.#items.values();
  }

  override children(): Iterable<readonly [string, unknown]> {
    return Object.entries(this.#items);
  }
}

/**
 * Holds modules by name, for `forward` to take what it needs. Their states are named `name.weight`.
 * After `torch.nn.ModuleDict`; a plain object or Map as a property of a module serves as well.
 * @throws GradusError for what is no module.
 * @example
 * const heads = new ModuleDict({ color: new Linear(8, 3), size: new Linear(8, 1) });
 * heads.get("color").call(ones([2, 8])).shape; // [2, 3]
 */
export class ModuleDict<M extends AnyModule = Module> extends Container {
  readonly #items = new Map<string, M>();

  constructor(
    modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]> = {},
    ...surplus: never[]
  ) {
    super(...surplus);
    const entries = isPlainObject(modules) ? Object.entries(modules) : modules;
    for (const entry of listOf("ModuleDict", entries)) {
      const [name, module] = Array.isArray(entry) ? entry : [];
      this.set(name, module);
    }
  }

  /** How many modules there are. */
  get size(): number {
    return this.#items.size;
  }

  /** Tells whether there is a module of a name. */
  has(name: string): boolean {
    return this.#items.has(name);
  }

  /**
   * Gives the module of a name.
   * @throws GradusError where there is none.
   */
  get(name: string): M {
    const module = this.#items.get(name);
    if (module) return module;
    const names = [...this.#items.keys()];
    throw new GradusError(
      `ModuleDict: name ${describeValue(name)}; expected one of ${names.join(", ")}${didYouMean(`${name}`, names)}`,
    );
  }

  /** Puts a module under a name, in the place of one that is there. */
  set(name: string, module: M): this {
    if (typeof name !== "string") {
      throw new GradusError(`ModuleDict: name ${describeValue(name)}; expected a string`);
    }
    checkModule("ModuleDict", name, module);
    this.#items.set(name, module);
    return this;
  }

  /** Takes a module out, which keeps its states; tells whether there was one. */
  delete(name: string): boolean {
    return this.#items.delete(name);
  }

  /** Goes through the names, in the order in which they came. */
  keys(): IterableIterator<string> {
    return this.#items.keys();
  }

  /** Goes through the modules, in the order in which they came. */
  values(): IterableIterator<M> {
    return this.#items.values();
  }

  /** Goes through names and modules, in the order in which they came. */
  [Symbol.iterator](): IterableIterator<[string, M]> {
    return this.#items.entries();
  }

  override children(): Iterable<readonly [string, unknown]> {
    return [...this.#items];
  }
}

function listOf(op: string, items: unknown): unknown[] {
  if (typeof (items as Iterable<unknown> | null)?.[Symbol.iterator] === "function") {
    return [...(items as Iterable<unknown>)];
  }
  throw new GradusError(`${op}: ${describeValue(items)}; expected modules${instanceOf(items)}`);
}

function checkModule(op: string, name: string, module: unknown): void {
  if (module instanceof Module) return;
  const given = describeValue(module);
  throw new GradusError(`${op}: ${name} is ${given}; expected a module${instanceOf(module)}`);
}
