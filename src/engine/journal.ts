import type { NumericArray } from "../core/dtype.ts";
import { DeviceError } from "../core/errors.ts";
import type { Device, StateChange, StateJournal } from "../graph/device.ts";
import { copyGraph, lineageOf, StateLeaf, shortLineage, sourceNode } from "../graph/lineage.ts";
import { Node } from "../graph/node.ts";
import { type State, stateOf } from "../graph/state.ts";
import type {
  InitialValue,
  JournalEntry,
  Note,
  ReadEntry,
  Rerun,
  RunObserver,
} from "./journal-entry.ts";
import { lostValues } from "./program.ts";

/** What a journal needs of its device. */
export interface JournalHost extends Device {
  readonly states: Set<WeakRef<State>>;
  readNow(nodes: readonly Node[], op: string, undo?: (() => void)[]): Promise<NumericArray[]>;
}

/** How long after an error a loss may become known, in milliseconds. */
const GRACE_MS = 1000;
/** Bytes of batches that are kept, at the most. */
const MOST_BYTES = 64 * 2 ** 20;
/** How full the journal becomes while no mirror can be had. */
const MOST_SHARE = 16;
/** The least time between two mirrors, and its ratio to the time that the last one took. */
const PAUSE_MS = 500;
const PAUSE_RATIO = 50;

/**
 * What is needed to have the states of a device again when it is lost: a mirror, which is a copy of
 * their values on the host, and a journal of what has been enqueued since, in order.
 */
export class Journal implements StateJournal {
  readonly entries = new Set<JournalEntry>();
  readonly #device: JournalHost;
  #statesLimit = 256;
  #bases = new WeakMap<State, InitialValue>();
  /** How many runs may have to be repeated, of each function that is protected. */
  readonly #limits: number[] = [];
  #last: JournalEntry | null = null;
  /** Runs in the journal, and bytes of what they were given. */
  #runs = 0;
  #bytes = 0;
  #mirroring: Promise<void> | null = null;
  #due = 0;

  /** What decides by time where runs are made; null where that is settled. */
  chooser: RunObserver | null = null;
  #isAsleep = false;

  /** How often a mirror was taken. */
  mirrors = 0;

  constructor(device: JournalHost) {
    this.#device = device;
  }

  /** Whether what changes states is noted. */
  get isOn(): boolean {
    return this.#limits.length > 0 && !this.#isAsleep;
  }

  /** Notes nothing while the device works through a session that is not lost. */
  sleep(): void {
    this.#forget();
    this.#isAsleep = true;
  }

  /** Goes on after that. */
  wake(): void {
    this.#isAsleep = false;
    if (this.isOn) this.#mirror();
  }

  /**
   * Begins to note; a mirror is taken after half of `most` runs, or when it is time. Settles when what
   * there is so far is safe; null where it is.
   */
  open(most: number): Promise<void> | null {
    if (!this.isOn) this.#forget(this.#unchanged());
    this.#limits.push(most);
    if (!this.isOn) return null;
    this.#mirror();
    return this.states.every((state) => this.baseOf(state, new Map())) ? null : this.#mirroring;
  }

  /** Undoes an `open`; with the last one, the journal ends with a mirror. */
  close(most: number): void {
    const at = this.#limits.indexOf(most);
    if (at < 0) return;
    if (this.isOn && this.#limits.length === 1) this.#mirror();
    this.#limits.splice(at, 1);
  }

  /** Ends it, on a device that is not lost any more. */
  end(): void {
    this.#limits.length = 0;
    this.chooser = null;
    this.#forget();
  }

  /** All states that live on the device. */
  get states(): State[] {
    const device = this.#device;
    const found: State[] = [];
    for (const ref of device.states) {
      const state = ref.deref();
      if (state && !state.disposed && state.device === device) found.push(state);
      else device.states.delete(ref);
    }
    return found;
  }

  add(state: State): void {
    if (this.#device.states.size >= this.#statesLimit) {
      this.#statesLimit = Math.max(256, 2 * this.states.length);
    }
    const { node } = state;
    const { lineage } = node;
    if (!(lineage as Node | null)?.tracked) return;
    node.lineage = null; // made of other states, which go on to change
    this.#push({ kind: "assign", states: [state], values: [lineage as Node] });
  }

  trail(root: Node): Node | null {
    if (!root.tracked) return null;
    if (this.isOn) return this.lineages([root])[0];
    return copyGraph(root, (node) => {
      const state = stateOf(node);
      if (!state) return undefined;
      const value = kept(node);
      return value instanceof Node || !value ? value : sourceNode(node, value);
    });
  }

  note(changes: readonly StateChange[]): () => void {
    if (!this.isOn) return () => {};
    const values = this.lineages(changes.map(({ node }) => node));
    const states = changes.map(({ state }) => state);
    this.touch(states);
    return () => this.#push({ kind: "assign", states, values });
  }

  /** How values can be computed again, each null where there is no way. */
  lineages(nodes: readonly (Node | null)[]): (Node | null)[] {
    const copies = new Map<Node, Node | null>();
    const tell = (bytes: number) => {
      this.#bytes += bytes;
    };
    return nodes.map((node) => node && lineageOf(node, tell, copies));
  }

  /** Takes down the values of states that are going to change. */
  touch(states: readonly State[]): void {
    for (const state of states) {
      const base = this.#bases.get(state);
      if (base?.isChanged) continue;
      const { version } = state;
      if (base?.version === version) base.isChanged = true;
      else this.#bases.set(state, { version, value: kept(state.node), isChanged: true });
    }
  }

  /** Takes down what a run is given, before it is enqueued; gives what notes that it is. */
  noting(replay: Rerun, nodes: readonly (Node | null)[]): Note | null {
    this.chooser?.begin(replay, nodes);
    if (!this.isOn || replay.assigned.length === 0) return null;
    const given = this.lineages(nodes.filter((node) => node !== null));
    this.touch(replay.assigned);
    return (outputs) => {
      this.#runs++;
      const last = this.#last;
      const isAlike = last?.kind === "run" && last.replay === replay;
      if (isAlike && last.given.length + given.length + outputs.length === 0) last.times++;
      else {
        const refs = outputs.map((node) => new WeakRef(node));
        this.#push({ kind: "run", replay, given, outputs: refs, times: 1 });
      }
    };
  }

  shortLineage(node: Node): Node | null {
    return shortLineage(node);
  }

  /** Whether a call failed since the device was lost, which may become known only now. */
  async wasLost(losses: number, error: unknown): Promise<boolean> {
    const device = this.#device;
    if (device.losses === losses && error instanceof DeviceError) {
      await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, GRACE_MS))]);
    }
    return device.losses !== losses;
  }

  /** Takes a mirror when it is time; gives what to wait for when too much would be repeated. */
  rest(): Promise<void> | null {
    const choice = this.chooser?.rest();
    if (choice) return choice;
    if (!this.isOn) return null;
    const share = this.#share;
    if (share >= 0.5 || performance.now() >= this.#due) this.#mirror();
    return share >= 1 ? this.#shrink() : null;
  }

  /** How full the journal is, from 0 to 1. */
  get #share(): number {
    return Math.max(this.#runs / Math.min(...this.#limits), this.#bytes / MOST_BYTES);
  }

  async #shrink(): Promise<void> {
    while (this.#share >= 1) {
      const { mirrors } = this;
      this.#mirror(); // one that is under way may have begun too early
      await this.#mirroring;
      if (this.mirrors === mirrors) return; // it failed, or the device is being made again
    }
  }

  /** Reads values; those that are lost on their way are read again, as they were then. */
  async read(nodes: readonly Node[], op: string, undo: (() => void)[]): Promise<NumericArray[]> {
    const device = this.#device;
    const lineages = this.lineages(nodes);
    if (device.recovering) {
      await device.recovering;
      const made: Node[] = [];
      const own = nodes.map((node, i) =>
        node.ready ? node : (renewed(lineages[i], made) ?? node),
      );
      try {
        return await device.readNow(own, op);
      } finally {
        for (const node of made) node.retire("a read that has ended");
      }
    }
    const { losses } = device;
    let entry: ReadEntry | undefined;
    const again = new Promise<NumericArray[]>((resolve, reject) => {
      entry = { kind: "read", nodes: lineages, op, resolve, reject };
      this.#push(entry);
    });
    again.catch(() => {}); // told where it is waited for
    try {
      return await device.readNow(nodes, op, undo);
    } catch (error) {
      if (await this.wasLost(losses, error)) return await again;
      throw error;
    } finally {
      this.entries.delete(entry as ReadEntry);
    }
  }

  /** How often each state was assigned since the journal begins. */
  get changes(): ReadonlyMap<State, number> {
    const counts = new Map<State, number>();
    for (const entry of this.entries) {
      const { states, times } =
        entry.kind === "run"
          ? { states: entry.replay.assigned, times: entry.times }
          : { states: entry.kind === "assign" ? entry.states : [], times: 1 };
      for (const state of states) counts.set(state, (counts.get(state) ?? 0) + times);
    }
    return counts;
  }

  /**
   * A state's value when the journal begins; null where none is known, and where the journal lacks
   * some of its changes.
   */
  baseOf(state: State, changes: ReadonlyMap<State, number>): NumericArray | Node | null {
    const base = this.#bases.get(state);
    if (base && base.version + (changes.get(state) ?? 0) === state.version) return base.value;
    return state.disposed ? null : kept(state.node);
  }

  /** Takes out what has not been done again, and counts the steps among it. */
  drop(entries: readonly JournalEntry[]): number {
    let steps = 0;
    for (const entry of entries) {
      this.entries.delete(entry);
      if (entry.kind !== "run") continue;
      this.#runs -= entry.times;
      for (let i = 0; i < entry.times; i++, steps++) entry.replay.onDropped?.();
    }
    for (const entry of this.entries) if (entry.kind === "run") entry.replay.leave();
    this.#last = null;
    return steps;
  }

  #push(entry: JournalEntry): void {
    this.#last = entry;
    this.entries.add(entry);
  }

  #forget(bases = new WeakMap<State, InitialValue>()): void {
    this.#drop(null);
    this.#bases = bases;
    this.#runs = 0;
    this.#bytes = 0;
    this.#due = 0;
    this.#mirroring = null;
  }

  /** The values that are known of states as they are now. */
  #unchanged(): WeakMap<State, InitialValue> {
    const bases = new WeakMap<State, InitialValue>();
    for (const state of this.states) {
      const base = this.#bases.get(state);
      if (base && !base.isChanged && base.version === state.version) bases.set(state, base);
    }
    return bases;
  }

  /** Takes out what comes before an entry, and that itself. */
  #drop(until: JournalEntry | null): void {
    for (const entry of this.entries) {
      this.entries.delete(entry);
      if (entry === until) return;
      if (entry.kind === "read") entry.reject(lostValues(entry.op));
    }
    this.#last = null;
  }

  /**
   * Copies the states that have changed since the last mirror, without waiting for it. What is lost or
   * spoiled has no value to copy, and keeps no other from being copied.
   */
  #mirror(): void {
    const device = this.#device;
    if (this.#mirroring || device.recovering) return;
    const bases = this.#bases;
    const changed = this.states.flatMap((state) => {
      const { version, node } = state;
      const base = bases.get(state);
      if (base && !base.isChanged && base.version === version) return [];
      const value = kept(node);
      return [{ state, version, value, node: value || !isThere(node) ? null : node }];
    });
    const made = this.#outputs();
    const mark: JournalEntry = { kind: "mark" };
    this.#push(mark);
    const [runs, bytes, begun] = [this.#runs, this.#bytes, performance.now()];
    const copied = changed.flatMap(({ node }) => node ?? []);
    const land = (read: readonly NumericArray[]) => {
      if (bases !== this.#bases) return;
      const values = read.values();
      for (const { state, version, node, value } of changed) {
        const isChanged = state.version !== version;
        const copy = node && (values.next().value as NumericArray);
        bases.set(state, { version, value: value ?? copy, isChanged });
      }
      for (const node of made) node.lineage = values.next().value as NumericArray;
      this.#drop(mark);
      this.mirrors++;
      this.#runs -= runs;
      this.#bytes -= bytes;
      this.#rest(begun);
    };
    const { losses } = device;
    const fail = async (error: unknown) => {
      await this.wasLost(losses, error); // who waits for the mirror then waits for the device
      if (bases !== this.#bases) return;
      this.entries.delete(mark);
      this.#rest(begun);
      if (this.#share >= MOST_SHARE) this.#forget(); // values that failed cannot be guarded
    };
    this.#mirroring = device.readNow([...copied, ...made], "mirror").then(land, fail);
  }

  /** Results of runs that somebody holds. */
  #outputs(): Node[] {
    return [...this.entries].flatMap((entry) => {
      const nodes = entry.kind === "run" ? entry.outputs.map((ref) => ref.deref()) : [];
      return nodes.filter((node) => node && isThere(node) && !node.lineage) as Node[];
    });
  }

  #rest(begun: number): void {
    const now = performance.now();
    this.#mirroring = null;
    this.#due = now + Math.max(PAUSE_MS, PAUSE_RATIO * (now - begun));
  }
}

/** Whether the device holds values that are sound as far as is known. */
function isThere({ storage }: Node): boolean {
  return storage !== null && !storage.failure;
}

/** A graph that was kept, to be computed of states as they are now; `made` is given its new nodes. */
function renewed(lineage: Node | null, made: Node[]): Node | null {
  const leaf = (node: Node) => {
    if (node instanceof StateLeaf) return node.state.node;
    return node.storage ? node : undefined;
  };
  const copies = new Map<Node, Node | null>();
  const copy = lineage && copyGraph(lineage, leaf, copies);
  for (const [node, own] of copies) if (own && own !== leaf(node)) made.push(own);
  return copy;
}

/** Values of a state that need not be copied, since the host has them or can compute them. */
function kept(node: Node): NumericArray | Node | null {
  const { host, lineage } = node;
  if (host ?? lineage) return host ?? lineage;
  // Somebody has asked for what was lost already. What is there may have changed since it was made.
  return node.op && !node.ready ? node : null;
}
