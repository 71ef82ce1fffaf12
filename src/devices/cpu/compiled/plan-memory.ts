import { sizeOf } from "../../../core/shape.ts";
import { type Lifetime, type MemoryPlan, planMemory } from "../../../engine/memory-plan.ts";
import type { KernelSchedule } from "../../../engine/schedule.ts";
import type { SharedTask, Threads } from "../threads/threads.ts";
import { type GroupCode, ownBytes } from "./group-code.ts";
import type { Heap, HeapBlock, HeapStorage } from "./heap.ts";
import { Home } from "./home.ts";

/** What a plan has of its engine. */
interface PlanHold {
  /** Not kept by what waits for the plan's end, for it knows of its device. */
  readonly heap: WeakRef<Heap>;
  readonly threads: Threads | null;
  /** Memory of values between groups. */
  blocks: readonly HeapBlock[];
  /** That of the table of addresses; null where there is none of both. */
  table: HeapBlock | null;
  /** Its number among the plans that threads know. */
  known: number | null;
}

/** Gives back what a plan has of its engine. */
function letGo(hold: PlanHold): void {
  const { blocks, table, known, threads } = hold;
  const heap = hold.heap.deref();
  hold.blocks = [];
  hold.table = hold.known = null;
  collectedPlans.unregister(hold);
  if (table && heap) {
    for (const block of blocks) heap.give(block);
    heap.free(table);
  }
  if (known !== null) threads?.forget(known);
}

/** Lets go for plans that nobody has any more and nobody has disposed. */
const collectedPlans = /* @__PURE__ */ new FinalizationRegistry<PlanHold>(letGo);

/** What the last run has left. */
interface LastRun {
  readonly buffer: ArrayBuffer;
  /** The table of addresses. */
  readonly addresses: Int32Array;
  /** Where the sources lay. */
  readonly sources: HeapBlock[];
}

/** Where the values of a plan lie: its sources and outputs, what is between groups and of their own. */
export class PlanMemory {
  readonly #homes = new Map<number, Home>();
  readonly #sources: readonly Home[];
  readonly #outputs: readonly Home[];
  readonly #hold: PlanHold;
  #plan!: MemoryPlan;
  #last: LastRun | null = null;
  /** When values between groups, and memory of groups' own, are needed. */
  lifetimes: readonly Lifetime[] = [];

  constructor(
    readonly heap: Heap,
    readonly schedule: KernelSchedule,
    readonly threads: Threads | null,
  ) {
    const { sources, outputs } = schedule.program;
    this.#sources = sources.map((step) => this.home(step));
    this.#outputs = outputs.map((step) => this.home(step));
    const hold = { heap: new WeakRef(heap), threads, blocks: [], table: null, known: null };
    this.#hold = hold;
  }

  /** Bytes between groups that it has now. */
  get bytes(): number {
    return this.#hold.blocks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Bytes of each block of memory between groups. */
  get sizes(): readonly number[] {
    return this.#plan.sizes;
  }

  /** Where a stored step's values lie. */
  home(step: number): Home {
    const key = this.schedule.homes.get(step) ?? step;
    const { dtype, shape } = this.schedule.program.steps[key];
    return this.#homeOf(key, () => new Home(this.heap, this.#homes.size, dtype, sizeOf(shape)));
  }

  /** Memory of a group's own, for each thread. */
  own(group: number, code: GroupCode): Home {
    const bytes = ownBytes(code) * (code.units && this.threads ? this.threads.count : 1);
    return this.#homeOf(-1 - group, () => new Home(this.heap, this.#homes.size, "u8", bytes));
  }

  /** Plans the memory between groups, whose codes are given; null for those that have none. */
  layOut(codes: readonly (GroupCode | null)[]): void {
    this.lifetimes = this.#lifetimes(codes);
    this.#plan = planMemory(this.lifetimes);
  }

  /** Takes what a plan needs until it is disposed or collected. */
  take(plan: object, codes: readonly (GroupCode | null)[]): void {
    const { heap } = this;
    const hold = this.#hold;
    if (hold.table) return;
    const blocks: HeapBlock[] = [];
    try {
      for (const bytes of this.sizes) blocks.push(heap.take(bytes));
      hold.table = heap.reserve(4 * this.#homes.size);
      hold.blocks = blocks;
      collectedPlans.register(plan, hold, hold);
    } catch (error) {
      for (const block of blocks) heap.give(block);
      throw error;
    }
    for (const [i, code] of codes.entries()) {
      if (!code?.isKept) continue;
      const { address } = blocks[this.#plan.slots.get(-1 - i) as number];
      heap.view("u8", address, this.own(i, code).bytes).fill(0);
    }
  }

  /** Makes room for the outputs of a run; `made` has them as far as there is room. */
  makeOutputs(made: HeapStorage[]): void {
    for (const { dtype, size } of this.#outputs) made.push(this.heap.store(dtype, size));
  }

  /** Has all homes where their values are in a run; gives the address of the table. */
  move(sources: readonly HeapStorage[], outputs: readonly HeapStorage[]): number {
    const { blocks, table } = this.#hold;
    const { address } = table as HeapBlock;
    const { buffer } = this.heap;
    if (this.#last?.buffer !== buffer) {
      const addresses = new Int32Array(buffer, address, this.#homes.size);
      this.#last = { buffer, addresses, sources: [] };
      for (const [key, slot] of this.#plan.slots) {
        this.#put(this.#homes.get(key) as Home, blocks[slot]);
      }
    }
    const last = (this.#last as LastRun).sources;
    for (let i = 0; i < sources.length; i++) {
      const { block } = sources[i];
      if (last[i] !== block) this.#put(this.#sources[i], block);
      last[i] = block;
    }
    for (let i = 0; i < outputs.length; i++) this.#put(this.#outputs[i], outputs[i].block);
    return address;
  }

  /** Has plain forms see their values where the memory has grown. */
  seeAnew(): void {
    for (const home of this.#homes.values()) home.move(home.address);
  }

  /** Does a task of a module together with other threads. */
  share(module: WebAssembly.Module, task: SharedTask): void {
    const { threads } = this;
    const hold = this.#hold;
    if (!threads) return;
    hold.known ??= threads.keep(module);
    threads.share(hold.known, (hold.table as HeapBlock).address, task);
  }

  /** Gives back what it has. */
  free(): void {
    letGo(this.#hold);
    this.#last = null;
    for (const home of this.#homes.values()) home.leave();
  }

  #put(home: Home, { address }: HeapBlock): void {
    if (home.move(address)) (this.#last as LastRun).addresses[home.place] = address;
  }

  #homeOf(key: number, make: () => Home): Home {
    const home = this.#homes.get(key) ?? make();
    this.#homes.set(key, home);
    return home;
  }

  #lifetimes(codes: readonly (GroupCode | null)[]): Lifetime[] {
    const { program, groups, reads, homes } = this.schedule;
    const given = new Set([...program.sources, ...program.outputs]);
    const found = new Map<number, Lifetime>();
    groups.forEach(({ outputs }, at) => {
      const code = codes[at];
      const bytes = code ? this.own(at, code).bytes : 0;
      if (bytes > 0) {
        // What is kept shares its memory with nothing.
        const [first, last] = code?.isKept ? [0, groups.length - 1] : [at, at];
        found.set(-1 - at, { key: -1 - at, bytes, first, last });
      }
      for (const step of [...reads[at], ...outputs]) {
        const key = homes.get(step) ?? step;
        if (given.has(key)) continue;
        const first = found.get(key)?.first ?? at;
        found.set(key, { key, bytes: this.home(key).bytes, first, last: at });
      }
    });
    return [...found.values()];
  }
}
