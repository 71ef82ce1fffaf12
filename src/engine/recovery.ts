import type { NumericArray } from "../core/dtype.ts";
import { Breather } from "../core/event-loop.ts";
import type { DeviceNews, Recovered, Storage } from "../graph/device.ts";
import { identity } from "../graph/identity.ts";
import { copyGraph, StateLeaf, sourceNode } from "../graph/lineage.ts";
import { Node } from "../graph/node.ts";
import type { State } from "../graph/state.ts";
import type { EngineDevice } from "./device.ts";
import type { AssignEntry, ReadEntry, Rerun, RunEntry } from "./journal-entry.ts";
import { lostValues } from "./program.ts";
import type { Session } from "./session.ts";

/** What is known of a device's losses that followed each other with no mirror between. */
const rows = new WeakMap<EngineDevice, { losses: number; mirrors: number; at: number }>();
/** After this time losses are not taken for one cause's, in milliseconds. */
const ROW_MS = 60_000;

function countInARow(device: EngineDevice): number {
  const now = performance.now();
  const mirrors = device.journal?.mirrors ?? 0;
  const before = rows.get(device);
  const isRow = before && before.mirrors === mirrors && now - before.at < ROW_MS;
  const losses = isRow ? before.losses + 1 : 0;
  rows.set(device, { losses, mirrors, at: now });
  return losses;
}

/**
 * Makes a device again that was lost, and the states on it.
 * @param open gives another session; told how often the device was lost in a row before.
 * @returns what tells of it.
 */
export async function recover(
  device: EngineDevice,
  message: string,
  open: (inARow: number) => Promise<Session>,
): Promise<() => void> {
  const begun = performance.now();
  const tell = (news: DeviceNews) => {
    for (const listener of device.listeners) listener(news);
  };
  tell({ event: "lost", message });
  const done = await restore(device, open);
  device.session.trim?.(); // what stood for states beside them
  if (!device.session.life) device.journal?.end(); // it is not lost any more
  const { kind, description } = device;
  const milliseconds = performance.now() - begun;
  return () => {
    if (done.dropped > 0 && device.listeners.size === 0) {
      console.warn(
        `gradus: ${done.dropped} steps went with the device, since what they were given cannot be ` +
          "had again; training goes on before them",
      );
    }
    tell({ event: "recovered", kind, description, milliseconds, ...done });
  };
}

async function restore(
  device: EngineDevice,
  open: (inARow: number) => Promise<Session>,
): Promise<Recovered> {
  for (;;) {
    const session = await open(countInARow(device));
    device.session = session;
    device.remakeWhenLost();
    const { losses } = device;
    const restoring = new Restoring(device);
    try {
      await restoring.run();
      if (device.losses === losses) return restoring.finish();
    } catch (error) {
      if (!(await device.journal?.wasLost(losses, error))) throw error;
    }
    restoring.free();
    session.onLost = () => {};
    if (session.life) session.life.isOver = true;
    session.dispose(); // it may be whole, and another one takes its place
  }
}

/** Makes the states of a device again from a mirror, and repeats what followed it. */
class Restoring {
  readonly #device: EngineDevice;
  readonly #losses: number;
  readonly #changes: ReadonlyMap<State, number>;
  /** What stands for states until all is done; null for those that cannot be had again. */
  readonly #nodes = new Map<State, Node | null>();
  readonly #sources = new Map<NumericArray, Node>();
  /** Nodes that others hold and that are there again. */
  readonly #others = new Set<Node>();
  readonly #breather = new Breather();
  /** Runs that cannot be made again: the first of them, and all behind it. */
  readonly #dropped: RunEntry[] = [];
  #repeated = 0;

  constructor(device: EngineDevice) {
    this.#device = device;
    this.#losses = device.losses;
    this.#changes = device.journal?.changes ?? new Map();
  }

  async run(): Promise<void> {
    const { journal } = this.#device;
    for (const entry of [...(journal?.entries ?? [])]) {
      if (entry.kind === "read") this.#read(entry);
      else if (entry.kind === "assign") this.#assign(entry);
      else if (entry.kind === "run" && !(await this.#run(entry))) this.#drop(entry);
    }
    for (const state of journal?.states ?? []) {
      if (journal?.baseOf(state, this.#changes) instanceof Node) this.#find(state);
    }
  }

  /** Lets states have what was made, all at once. */
  finish(): Recovered {
    const { journal } = this.#device;
    for (const state of journal?.states ?? []) {
      const place = state.node;
      const node = this.#nodes.get(state);
      const base = node === undefined && journal?.baseOf(state, this.#changes);
      place.cut();
      if (node) this.#replace(place, node);
      else if (base && !(base instanceof Node) && !place.ready) place.host = base;
    }
    this.free();
    const dropped = journal?.drop(this.#dropped) ?? 0;
    return { repeated: this.#repeated, dropped };
  }

  /** Frees what stands for states and for values on the host. */
  free(): void {
    for (const node of [...this.#nodes.values(), ...this.#sources.values()]) node?.retire("");
  }

  /** Gives a place the values of a node instead of those that went with the device. */
  #replace(place: Node, node: Node): void {
    const lost = place.surrender();
    if (lost) this.#device.release(lost);
    node.passTo(place);
  }

  /** Makes a run again; false where that cannot be. */
  async #run(entry: RunEntry): Promise<boolean> {
    if (this.#dropped.length > 0) return false;
    const { replay, given, outputs, times } = entry;
    try {
      for (let i = 0; i < times; i++) {
        const own = given.map((node) => this.#build(node));
        try {
          if (own.includes(null)) return false;
          const made = await this.#rerun(replay, own as Node[]);
          for (const [k, node] of made.entries()) {
            const target = outputs[k]?.deref();
            if (target && !target.retired && !target.ready) node.passTo(target);
            node.retire("");
          }
        } finally {
          this.#free(own);
        }
        this.#repeated++;
        await this.#breather.rest();
      }
      return true;
    } catch (error) {
      if (await this.#device.journal?.wasLost(this.#losses, error)) throw error;
      return false;
    }
  }

  /** Enqueues a run on what it was given, and on what stands for states; gives its outputs. */
  async #rerun({ plan, sources, outputs, op }: Rerun, given: readonly Node[]): Promise<Node[]> {
    const device = this.#device;
    await plan.prepare();
    await device.room();
    return device.inside(() => {
      const own = given.values();
      const nodes = sources.map((source) => {
        if (source.kind === "state") return this.#nodeOf(source.state);
        return source.kind === "input" ? (own.next().value as Node) : source.node;
      });
      device.evaluate(nodes, op);
      const storages = plan.run(nodes.map(({ storage }) => storage as Storage));
      return storages.map((storage, i) => {
        const node = new Node(device, outputs[i].shape, outputs[i].dtype);
        device.give(node, storage);
        return node;
      });
    });
  }

  /** Leaves a run out; where nobody can be told, what it has changed is gone. */
  #drop(entry: RunEntry): void {
    this.#dropped.push(entry);
    if (!entry.replay.onDropped) for (const state of entry.replay.assigned) this.#set(state, null);
  }

  #assign({ states, values }: AssignEntry): void {
    const made = values.map((value) => this.#own(this.#build(value)));
    this.#evaluate(made.filter((node) => node !== null));
    for (const [i, state] of states.entries()) this.#set(state, made[i]);
  }

  #set(state: State, node: Node | null): void {
    this.#nodes.get(state)?.retire("");
    this.#nodes.set(state, node);
  }

  #read(entry: ReadEntry): void {
    const device = this.#device;
    const { op, resolve, reject } = entry;
    const own = this.#dropped.length > 0 ? [null] : entry.nodes.map((node) => this.#build(node));
    if (own.includes(null)) {
      reject(lostValues(op));
      return;
    }
    const reading = device.inside(() => device.readNow(own as Node[], op));
    this.#free(own);
    reading.then(resolve, async (error: unknown) => {
      if (!(await device.journal?.wasLost(this.#losses, error))) reject(error);
    });
  }

  /** What stands for a state; throws a `DeviceError` where its value cannot be had again. */
  #nodeOf(state: State): Node {
    const node = this.#find(state);
    if (node) return node;
    throw lostValues(`"${state.name}"`);
  }

  #find(state: State): Node | null {
    let node = this.#nodes.get(state);
    if (node === undefined) {
      const device = this.#device; // the state may have moved to another one since
      const { shape, dtype } = state;
      const base = device.journal?.baseOf(state, this.#changes) ?? null;
      node =
        base instanceof Node
          ? this.#own(this.#build(base))
          : base && sourceNode({ device, shape, dtype }, base);
      this.#nodes.set(state, node);
      if (node) this.#evaluate([node]);
    }
    return node;
  }

  /** Copies a graph that is kept, to be computed of what is there now; null where that cannot be. */
  #build(root: Node | null): Node | null {
    return (
      root &&
      copyGraph(root, (node) => {
        if (node instanceof StateLeaf) return this.#find(node.state);
        if (node.storage) this.#others.add(node);
        return node.host ? this.#source(node, node.host) : node.storage ? node : undefined;
      })
    );
  }

  #source(like: Node, host: NumericArray): Node {
    const node = this.#sources.get(host) ?? sourceNode(like, host);
    this.#sources.set(host, node);
    return node;
  }

  /** A node whose values nothing else holds. */
  #own(node: Node | null): Node | null {
    if (!node?.ready) return node;
    return new Node(node.device, node.shape, node.dtype, identity, [node], {});
  }

  #evaluate(nodes: readonly Node[]): void {
    this.#device.inside(() => this.#device.evaluate(nodes, "recovery"));
  }

  /** Frees nodes that stand for no state and for no values that others may need too. */
  #free(nodes: readonly (Node | null)[]): void {
    const all = [...this.#nodes.values(), ...this.#sources.values(), ...this.#others];
    const held = new Set<Node | null>(all);
    for (const node of nodes) if (!held.has(node)) node?.retire("");
  }
}
