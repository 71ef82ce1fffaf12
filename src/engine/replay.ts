import { checkSynchronous } from "../core/check.ts";
import { allocate, type NumericArray } from "../core/dtype.ts";
import { inMemory } from "../core/host-memory.ts";
import { postorder } from "../core/postorder.ts";
import { tools } from "../core/tools.ts";
import { mapTree, type Parts, type Place, partsOf } from "../core/tree.ts";
import type { Device, Storage } from "../graph/device.ts";
import { inputsOf, Node, nextNodeId } from "../graph/node.ts";
import { type State, stateOf } from "../graph/state.ts";
import { Tensor } from "../graph/tensor.ts";
import { TracedArray } from "../graph/traced-array.ts";
import { traceFunction } from "../graph/tracing.ts";
import { type WatchedRuns, watch } from "../graph/watch.ts";
import { EngineDevice } from "./device.ts";
import type { Note, Rerun } from "./journal-entry.ts";
import type { Plan, Progress } from "./plan.ts";
import type { Profile } from "./profile.ts";
import { readsOf, trace } from "./program.ts";
import { Refusal } from "./refusal.ts";
import { type Input, type Naming, replaceInputs } from "./signature.ts";
import type { InputSource, Source } from "./sources.ts";

/** Options of `compile`. */
export interface CompileOptions {
  /**
   * After how many calls, at the most, what the calls have done to states is safe from a loss of the
   * device: then the states are copied to the host, and later calls made again. Infinity to let time
   * decide alone; not at all when left out.
   */
  mirrorEvery?: number;
  /** Told of each call that was lost with the device and cannot be made again. */
  onDropped?: () => void;
  /** Told how many pipelines have been built, each time that a plan is made. */
  onProgress?: Progress;
  /** How many calls share a submit; as many as take 2 to 8 ms when left out. */
  stepsPerSubmit?: number;
  /** What messages call the function; `compile` when left out. */
  name?: string;
  /** What messages call its arguments, in order; `argument 0` and so on when left out. */
  parameters?: readonly string[];
  /** Gives the number of the next call for errors under `debug`, from 1; counted when left out. */
  count?: () => number;
}

/**
 * The nodes that a call brings for the plan's sources; null for those that it has anyway, and nothing
 * where it has all.
 */
export type Brought = readonly (Node | null)[];

/** A constant that a traced function made, and its values. */
interface Constant {
  readonly node: Node;
  readonly host: NumericArray;
}

/** A compiled function for one signature: traced when it is made, replayed by each run. */
export class Replay<Args extends readonly unknown[], R> implements Rerun {
  readonly device: EngineDevice;
  readonly plan: Plan;
  /** How many calls are under way. */
  users = 0;
  /** What checks each run under `debug`, before the next one may begin. */
  readonly watched: WatchedRuns | null;
  readonly op: string;
  readonly sources: readonly Source[];
  /** What the plan is run on, in the order of its sources. */
  readonly storages: Storage[] = [];
  readonly assigned: readonly State[];
  /** The same, and those that what checks a run assigns. */
  readonly changed: readonly State[];
  readonly outputs: readonly Node[];
  /** Which sources' values are used, and not only replaced. */
  readonly #isRead: readonly boolean[];
  #preparing: Promise<void> | null = null;
  readonly #constants: readonly Constant[];
  readonly #result: R;
  readonly #onProgress: Progress | undefined;
  readonly onDropped: (() => void) | undefined;
  #isDisposed = false;

  constructor(
    fn: (...args: Args) => R,
    args: Args,
    inputs: readonly Input[],
    naming: Naming,
    { onProgress, stepsPerSubmit, onDropped, count }: CompileOptions,
  ) {
    const { op } = naming;
    const start = nextNodeId();
    const places = inputs.map((input) => placeOf(input, op));
    let next = 0;
    const given = replaceInputs(args, naming, () => places[next++].standIn);
    const { result, assignments } = traceFunction<State, { value: R; nodes: Node[] }>(
      () => {
        try {
          const value = fn(...given);
          return { value, nodes: nodesOf(value, op) };
        } catch (error) {
          const isPrivate = error instanceof TypeError && /private/i.test(error.message);
          throw isPrivate ? new Refusal((by) => by.privateFields(error, args, naming)) : error;
        } finally {
          for (const place of places) place.close();
        }
      },
      "compiled",
      true,
    );
    const parameters = new Map(places.flatMap(placedOf).map((placed) => [placed.node, placed]));
    const roots = [...result.nodes, ...assignments.flatMap((a) => [a.original, a.value])];
    this.device = deviceOf(roots, parameters, op);
    this.device.evaluate(madeBefore(roots, start), op);
    const { nodes: results } = result;
    this.watched = watch?.compiled(args, naming, parameters, results, assignments, count) ?? null;
    const changes = this.watched ? [] : assignments;
    const { program, sources } = trace(this.watched?.outputs ?? results, op, {
      parameters: new Set(parameters.keys()),
      replacements: changes,
    });
    this.op = op;
    this.sources = sources.map((node) => parameters.get(node) ?? sourceOf(node));
    this.changed = assignments.map(({ state }) => state);
    this.assigned = this.watched ? [] : this.changed;
    this.outputs = results;
    this.#isRead = readsOf(program);
    this.#constants = sources.flatMap((node) => {
      return node.id >= start && node.host ? [{ node, host: node.host }] : [];
    });
    this.#result = result.value;
    this.onDropped = onDropped;
    const fixed = this.sources.map(({ kind }) => kind !== "input");
    this.plan = this.device.plan(program, { stepsPerSubmit, fixed });
    this.#onProgress = onProgress;
  }

  /** Settles when the plan is built; null when it is. After a failure it may have to be once more. */
  get ready(): Promise<void> | null {
    if (this.plan.ready) return this.#preparing;
    this.#preparing ??= this.plan.prepare(this.#onProgress).finally(() => {
      this.#preparing = null;
    });
    return this.#preparing;
  }

  /** Takes what a call brings: its tensors, and what its typed arrays hold at this moment. */
  bring(inputs: readonly Input[]): Brought {
    if (inputs.length === 0) return [];
    return this.sources.map((source) => {
      if (source.kind !== "input") return null;
      const input = inputs[source.index];
      if (input instanceof Tensor) return input.use();
      const { shape, dtype } = source.node;
      const node = new Node(this.device, shape, dtype);
      node.host = source.convert?.(input) as NumericArray;
      return node;
    });
  }

  /** Frees what a call brought that nobody else has: what its typed arrays held. */
  free(brought: Brought): void {
    for (const i of brought.keys()) {
      const source = this.sources[i];
      const isOwn = source.kind === "input" && source.convert;
      if (isOwn) brought[i]?.retire("a typed array of a call that has ended");
    }
  }

  /** Whether no state has moved to another device since the trace. */
  get isHere(): boolean {
    return this.sources.every((x) => x.kind !== "state" || x.state.device === this.device);
  }

  /** Whether, besides, no state has been disposed: else there may be others in their place. */
  get isCurrent(): boolean {
    return this.isHere && this.sources.every((x) => x.kind !== "state" || !x.state.disposed);
  }

  /** Runs the plan once on what a call brings. */
  run(brought: Brought): R | Promise<R> {
    const note = this.device.journal?.noting(this, brought);
    return this.device.together(() => {
      this.place(brought);
      const storages = inMemory(this.op, () => this.plan.run(this.storages));
      return this.finish(storages, note);
    });
  }

  leave(): void {
    if (this.#isDisposed) this.dispose();
  }

  /** Runs the plan once, and takes the time of each kernel. */
  async profile(brought: Brought): Promise<Profile> {
    return (await tools.get()).profileRun(this as never, brought);
  }

  /** Frees what the plan holds on the device, the constants that were made in the trace with it. */
  dispose(): void {
    this.#isDisposed = true;
    this.plan.dispose();
    // A call that brought what is wrong has ended before its plan was built.
    const free = () => this.plan.dispose();
    this.#preparing?.then(free, free);
    this.storages.length = 0;
    for (const { node, host } of this.#constants) {
      const storage = node.surrender();
      if (!storage) continue;
      this.device.release(storage);
      node.host = host; // for who kept the tensor
    }
  }

  /** Finds the storages that the plan is run on, with what a call brings among them. */
  place(given: Brought): void {
    this.device.begin(this.op);
    if (!this.isHere) throw new Refusal((by) => by.moved(this.op));
    const nodes: Node[] = [];
    let isReady = true;
    for (let i = 0; i < this.sources.length; i++) {
      const node = given[i] ?? this.#nodeOf(this.sources[i], i);
      isReady &&= node.storage !== null && !node.storage.failure;
      nodes.push(node);
    }
    // Values on the host are uploaded, lazy ones computed; those that were freed or failed say so.
    if (!isReady) this.device.evaluate(nodes, this.op);
    for (let i = 0; i < nodes.length; i++) this.storages[i] = nodes[i].storage as Storage;
  }

  /** The node of a source; a state that is spoiled, and only written, gets other memory. */
  #nodeOf(source: Source, i: number): Node {
    if (source.kind !== "state") return source.node;
    const { state } = source;
    if (!this.#isRead[i] && state.node.storage?.failure) {
      state.write(allocate(state.dtype, state.size));
    }
    return state.node;
  }

  /** Gives states and results what a run has made. */
  finish(storages: Storage[], note?: Note | null): R | Promise<R> {
    return this.watched
      ? this.watched.finish(storages, (own) => this.#settle(own))
      : this.#settle(storages, note);
  }

  /** Lets states and results have what a run has made. */
  #settle(storages: readonly Storage[], note?: Note | null): R {
    for (const state of this.assigned) state.advance();
    const outputs = storages.map((storage, i) => {
      const { shape, dtype } = this.outputs[i];
      const node = new Node(this.device, shape, dtype);
      this.device.give(node, storage);
      return node;
    });
    note?.(outputs);
    if (this.#result === undefined) return this.#result;
    let next = 0;
    return mapResult(this.#result, this.op, () => new Tensor(outputs[next++]));
  }
}

/** What stands for an input while the function is traced, and the nodes that have its values. */
interface Stand {
  readonly standIn: object;
  readonly uses: readonly Pick<InputSource, "node" | "convert">[];
  /** Ends the trace. */
  close(): void;
}

function placeOf(input: Input, op: string): Stand {
  if (!(input instanceof Tensor)) return new TracedArray(input, op);
  const { device, shape, dtype } = input;
  const standIn = new Tensor(new Node(device, shape, dtype));
  return {
    standIn,
    get uses() {
      return [{ node: standIn.node, convert: null }];
    },
    close() {},
  };
}

/** The nodes whose values come from an input. */
function placedOf({ uses }: Stand, index: number): InputSource[] {
  return uses.map((use) => ({ ...use, kind: "input", index }));
}

function sourceOf(node: Node): Source {
  const state = stateOf(node);
  return state?.node === node ? { kind: "state", state } : { kind: "constant", node };
}

/** The nodes of the tensors in a result, states among them. */
function nodesOf(result: unknown, op: string): Node[] {
  const nodes: Node[] = [];
  checkSynchronous(op, result);
  mapResult(result, op, (tensor) => {
    nodes.push(tensor.use());
    return tensor;
  });
  return nodes;
}

/** Rebuilds a result of tensors in arrays and plain objects, or of nothing. */
function mapResult<R>(result: R, op: string, next: (tensor: Tensor) => Tensor): R {
  const open = (value: unknown, { path, isCycle }: Place): Parts | null => {
    if (value instanceof Tensor) return null;
    if (!isCycle) return partsOf(value);
    throw new Refusal((by) => by.cyclicResult(op, path));
  };
  return mapTree(result, open, (value, { path }) => {
    if (value instanceof Tensor) return next(value);
    if (value === null || value === undefined) return value;
    throw new Refusal((by) => by.noTensor(op, value, path));
  });
}

function deviceOf(
  roots: readonly Node[],
  parameters: ReadonlyMap<Node, InputSource>,
  op: string,
): EngineDevice {
  const devices = new Set([...roots, ...parameters.keys()].map(({ device }) => device));
  const [device] = devices;
  if (devices.size !== 1 || !(device instanceof EngineDevice)) {
    throw new Refusal((by) => by.apart(op, [...devices] as Device[]));
  }
  return device;
}

/** Values that a trace uses, which were made before it and are not there yet. */
function madeBefore(roots: readonly Node[], start: number): Node[] {
  const isMade = (node: Node) => !node.ready && node.id < start;
  const before = (node: Node) => (node.ready || isMade(node) ? [] : inputsOf(node));
  return [...postorder(roots, before)].filter(isMade);
}
