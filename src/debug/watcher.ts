import { checkEach, checkFunctions, checkOptions } from "../core/check.ts";
import type { NumericArray } from "../core/dtype.ts";
import type { GradusError } from "../core/errors.ts";
import { type Place, partsOf, walk } from "../core/tree.ts";
import type { EngineDevice } from "../engine/device.ts";
import { eachPart, isInput, type Naming, nameOf } from "../engine/signature.ts";
import type { Storage } from "../graph/device.ts";
import { Node } from "../graph/node.ts";
import type { State } from "../graph/state.ts";
import { apply, Tensor } from "../graph/tensor.ts";
import type { TracedAssignment } from "../graph/tracing.ts";
import { setWatch, type Watch, type WatchedRuns } from "../graph/watch.ts";
import { observe } from "../nn/observe.ts";
import { indicesOp } from "./check-ops.ts";
import { Inspection, type Sources } from "./inspection.ts";
import { Places } from "./places.ts";
import { type CallRun, indexError, nonFiniteError } from "./report.ts";

/** Options of `debug`. */
export interface DebugOptions {
  /**
   * `refuse`, when left out, makes an infinity an error where it was made of finite numbers and
   * reaches a result or becomes a NaN; `allow` leaves infinities alone.
   */
  infinities?: "refuse" | "allow";
}

/** Checks what ops give while somebody wants it. */
class Watcher implements Watch {
  readonly seesTurns = true;
  readonly #places = new Places();
  /** Who wants it, with which options; the last one's hold. */
  readonly #scopes = new Set<DebugOptions>();
  #always: DebugOptions | null = null;
  /** What was found in evaluations that nobody has been told. */
  readonly #pending = new Set<Promise<GradusError | null>>();
  /** What tells of evaluations: reading it waits for nothing. */
  readonly #own = new WeakSet<Node>();
  /** Evaluations since somebody began to want it. */
  #evaluations = 0;

  /** Watches from now on, as `init` was told; or no longer, but for functions that run. */
  always(wish: boolean | DebugOptions): void {
    const options = wish === true ? {} : wish;
    if (options) checkDebugOptions("init: debug", options);
    if (this.#always) this.#end(this.#always);
    this.#always = options ? { ...options } : null;
    if (this.#always) this.#begin(this.#always);
  }

  #begin(options: DebugOptions): void {
    if (this.#scopes.size === 0) this.#evaluations = 0;
    this.#scopes.add(options);
    setWatch(this);
    observe((layer, call, name) => this.#places.call(layer, call, name));
  }

  #end(options: DebugOptions): void {
    this.#scopes.delete(options);
    if (this.#scopes.size > 0) return;
    setWatch(null);
    observe(null);
    this.#pending.clear();
  }

  /** Watches while a function runs, and what it returns is computed. */
  async during<T>(
    fn: () => T | PromiseLike<T>,
    given: DebugOptions,
    surplus: readonly unknown[],
  ): Promise<T> {
    checkDebugOptions("debug", given, surplus);
    checkFunctions("debug", { fn });
    const options = { ...given };
    this.#begin(options);
    try {
      const result = await fn();
      for (const x of tensorsIn(result)) x.device.evaluate([x.use()], "debug");
      await this.#tell();
      return result;
    } finally {
      this.#end(options);
    }
  }

  added(node: Node): void {
    this.#places.add(node);
  }

  gradient(node: Node, build: () => void): void {
    this.#places.gradient(node, build);
  }

  updates<A extends readonly (readonly [State, Tensor])[]>(kind: string, build: () => A): A {
    return this.#places.updates(kind, build);
  }

  indices(caller: string, x: Tensor, size: number, ignored: number | null = null): Tensor {
    return apply(indicesOp, [x], { caller, size, ignored });
  }

  evaluation(caller: string, wanted: Node[]): () => void {
    const sources = { is: (node: Node) => node.ready, nameOf: () => undefined };
    const inspection = this.#inspect(caller, wanted, sources);
    const { nodes } = inspection;
    const run: CallRun = { caller, unit: "evaluation", number: ++this.#evaluations };
    wanted.push(...nodes);
    return () => {
      if (nodes.length === 0) return;
      const reading = this.#read(inspection, nodes, run).then(({ error }) => {
        if (!error) this.#pending.delete(reading);
        return error;
      });
      this.#pending.add(reading);
    };
  }

  async settled(nodes: readonly Node[]): Promise<void> {
    if (!nodes.some((node) => this.#own.has(node))) await this.#tell();
  }

  compiled(
    args: readonly unknown[],
    naming: Naming,
    inputs: ReadonlyMap<Node, { readonly index: number }>,
    results: readonly Node[],
    assignments: readonly TracedAssignment<State>[],
    count?: () => number,
  ): WatchedRuns | null {
    const values = assignments.map(({ value }) => value);
    const names = inputNames(args, naming);
    const inspection = this.#inspect(naming.op, [...results, ...values], {
      is: (node) => node.ready || inputs.has(node),
      nameOf: (node) => names[inputs.get(node)?.index ?? -1],
    });
    const outputs = [...results, ...values, ...inspection.nodes];
    const [device] = outputs.map((node) => node.device as EngineDevice);
    if (!device || inspection.nodes.length === 0) return null;
    const states = assignments.map(({ state }) => state);
    const types = outputs.map(({ shape, dtype }) => ({ shape, dtype }));
    const unit = count ? "step" : "call";
    let calls = 0;
    const finish = <R>(storages: readonly Storage[], settle: (own: Storage[]) => R) => {
      const run: CallRun = { caller: naming.op, unit, number: count?.() ?? ++calls };
      const hold = (storage: Storage, i: number) => {
        const { shape, dtype } = types[i];
        const node = new Node(device, shape, dtype);
        device.give(node, storage);
        return node;
      };
      const own = storages.slice(0, results.length);
      const others = storages.slice(own.length).map((x, i) => hold(x, own.length + i));
      const next = others.splice(0, states.length);
      let given: { result: R; nodes: readonly Node[] } | undefined;
      let hasFailed = false;
      /** Lets states and results have what was made, once. */
      const give = () => {
        if (given) return given;
        for (const [i, state] of states.entries()) state.replace(next[i]);
        const nodes = states.map(({ node }) => node);
        given = { result: settle(own), nodes };
        return given;
      };
      const check = async () => {
        // Nobody notes what states are given here: on a device that can be lost they are copied.
        const copied = device.journal?.isOn ? next : [];
        const { error, values } = await this.#read(inspection, others, run, copied);
        if (error && !given) for (const node of [...own.map(hold), ...next]) node.retire("");
        hasFailed = !!error;
        if (error) throw error;
        const isNow = !given;
        const { result, nodes } = give();
        if (isNow) for (const [i, node] of nodes.entries()) node.lineage = values[i] ?? null;
        return result;
      };
      return Object.assign(check(), { settle: () => void (hasFailed || give()) });
    };
    return { outputs, finish };
  }

  /** Adds what tells of nodes to their graph, without watching that itself. */
  #inspect(caller: string, results: readonly Node[], sources: Sources): Inspection {
    setWatch(null);
    try {
      return new Inspection(caller, results, sources, this.#places);
    } finally {
      setWatch(this);
    }
  }

  /**
   * Reads what tells of a run, frees it, and gives the error that it tells of, or why it cannot be
   * read, and the values of other nodes.
   */
  async #read(
    inspection: Inspection,
    nodes: readonly Node[],
    run: CallRun,
    others: readonly Node[] = [],
  ): Promise<{ error: GradusError | null; values: NumericArray[] }> {
    const allow = [...this.#scopes].at(-1)?.infinities === "allow";
    try {
      for (const node of nodes) this.#own.add(node);
      const read = await nodes[0].device.readAll([...nodes, ...others], run.caller);
      const values = read.splice(nodes.length);
      const index = inspection.findIndex(read);
      if (index) return { error: indexError(index, run), values };
      const found = inspection.find(read, allow);
      return { error: found && nonFiniteError(found, run), values };
    } catch (error) {
      return { error: error as GradusError, values: [] };
    } finally {
      for (const node of nodes) node.retire("what debug has read");
    }
  }

  /** Throws the first of what was found in evaluations so far. */
  async #tell(): Promise<void> {
    const pending = [...this.#pending];
    const errors = await Promise.all(pending);
    for (const one of pending) this.#pending.delete(one);
    const error = errors.find((found) => found !== null);
    if (error) throw error;
  }
}

function checkDebugOptions(
  op: string,
  options: DebugOptions,
  surplus: readonly unknown[] = [],
): void {
  checkOptions<DebugOptions>(op, options, { infinities: "string" }, surplus);
  const { infinities = "refuse" } = options;
  const isWord = (x: unknown) => x === "refuse" || x === "allow";
  checkEach(op, { infinities }, isWord, "refuse or allow");
}

/** The one that watches. */
export const watcher: Watcher = new Watcher();

/** The tensors in arrays and plain objects, but those that were disposed. */
function tensorsIn(result: unknown): Tensor[] {
  const found: Tensor[] = [];
  const open = (part: unknown, { isCycle }: Place) => (isCycle ? null : partsOf(part));
  walk(result, open, (part) => {
    if (part instanceof Tensor && !part.disposed) found.push(part);
  });
  return found;
}

/** What messages call the inputs of a compiled function, in order. */
function inputNames(args: readonly unknown[], naming: Naming): string[] {
  const names: string[] = [];
  eachPart(args, naming, (value, parts, path) => {
    if (!parts && isInput(value)) names.push(nameOf(path, naming));
  });
  return names;
}
