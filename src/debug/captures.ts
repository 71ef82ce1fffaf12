import { checkEach, describeValue, didYouMean } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { list } from "../core/quote.ts";
import type { Node } from "../graph/node.ts";
import type { State } from "../graph/state.ts";
import { Tensor } from "../graph/tensor.ts";
import { traceStart } from "../graph/tracing.ts";
import { setWatch, type Watch, type WatchedRuns, watch } from "../graph/watch.ts";
import { observe } from "../nn/observe.ts";
import { Places } from "./places.ts";

/** Values by the names that ask for them. */
type CapturedTensors = Readonly<Record<string, Tensor>>;

/**
 * Builds a step's graph, and gives the values in it that have these names, each by its own.
 * @throws GradusError, as `op`, for a name that the graph does not have, and for one inside a loop.
 */
export function capture(op: string, names: readonly string[], build: () => void): CapturedTensors {
  const isNames = (given: unknown) =>
    Array.isArray(given) && given.every((name) => typeof name === "string");
  checkEach(op, { capture: names }, isNames, 'a list of names such as "hidden.relu"');
  const found = new NamedValues();
  found.during(build);
  return Object.fromEntries(names.map((name) => [name, found.get(op, name)]));
}

/** Gives those of two steps' values that were made later, and frees the others. */
export function newer(a: CapturedTensors, b: CapturedTensors): CapturedTensors {
  const isLater = made(a) > made(b);
  for (const x of Object.values(isLater ? b : a)) if (!x.disposed) x.dispose();
  return isLater ? a : b;
}

/** When values were made, among others. */
function made(values: CapturedTensors): number {
  const [first] = Object.values(values);
  return first && !first.disposed ? first.node.id : -1;
}

/** Values by the places in a model where they come from. */
class NamedValues implements Watch {
  /** What modules and functions of a `Sequential` give, and what ops do; null in a loop's turn. */
  readonly #results = new Map<string, Node | null>();
  readonly #ops = new Map<string, Node | null>();
  readonly #places = new Places((place, node, isResult) => {
    const values = isResult ? this.#results : this.#ops;
    addByName(values, place, traceStart === this.#start ? node : null);
  });
  /** What watches besides. */
  readonly #other = watch;
  readonly #start = traceStart;

  get seesTurns(): boolean {
    return this.#other?.seesTurns ?? false;
  }

  /** Runs a function, and notes what it builds. */
  during(build: () => void): void {
    const before = observe((layer, call, name) => {
      return this.#places.call(layer, () => (before ? before(layer, call, name) : call()), name);
    });
    setWatch(this);
    try {
      build();
    } finally {
      setWatch(this.#other);
      observe(before);
    }
  }

  get(op: string, name: string): Tensor {
    const values = this.#results.has(name) ? this.#results : this.#ops;
    const node = values.get(name);
    if (node) return new Tensor(node);
    const given = `capture ${describeValue(name)}`;
    if (node === null) {
      const rule = "a value outside of loops and mapped functions";
      throw new GradusError(`${op}: ${given}; expected ${rule}`);
    }
    const known = [...new Set([...this.#results.keys(), ...this.#ops.keys()])];
    throw new GradusError(
      `${op}: ${given}; expected one of ${list(known)}${didYouMean(name, known)}`,
    );
  }

  added(node: Node): void {
    this.#other?.added(node);
    this.#places.add(node);
  }

  gradient(node: Node, build: () => void): void {
    const other = this.#other;
    this.#places.gradient(node, other ? () => other.gradient(node, build) : build);
  }

  updates<A extends readonly (readonly [State, Tensor])[]>(kind: string, build: () => A): A {
    const other = this.#other;
    return this.#places.updates(kind, other ? () => other.updates(kind, build) : build);
  }

  indices(caller: string, x: Tensor, size: number, ignored?: number | null): Tensor {
    return this.#other?.indices(caller, x, size, ignored) ?? x;
  }

  evaluation(caller: string, wanted: Node[]): () => void {
    return this.#other?.evaluation(caller, wanted) ?? (() => {});
  }

  async settled(nodes: readonly Node[]): Promise<void> {
    await this.#other?.settled(nodes);
  }

  compiled(...given: Parameters<Watch["compiled"]>): WatchedRuns | null {
    return this.#other?.compiled(...given) ?? null;
  }
}

/** Adds a value by its place, and by `place#2` and so on where that has others already. */
function addByName(values: Map<string, Node | null>, place: string, node: Node | null): void {
  let name = place;
  for (let i = 2; values.has(name); i++) name = `${place}#${i}`;
  values.set(name, node);
}
