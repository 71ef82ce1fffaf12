import { DeviceError, GradusError } from "../../../core/errors.ts";
import { SLICE_MS } from "../../../core/event-loop.ts";
import { sizeOf } from "../../../core/shape.ts";
import type { Strided } from "../../../core/strided.ts";
import { copyStrided } from "../../../core/strided-loops.ts";
import { tools } from "../../../core/tools.ts";
import type { Group } from "../../../engine/fusion.ts";
import { opsOf } from "../../../engine/group-ops.ts";
import { type Lifetime, type MemoryPlan, planMemory } from "../../../engine/memory-plan.ts";
import type { PlanStats } from "../../../engine/plan.ts";
import type { Profile } from "../../../engine/profile.ts";
import type { Program } from "../../../engine/program.ts";
import { type KernelSchedule, scheduleOf } from "../../../engine/schedule.ts";
import type { Storage } from "../../../graph/device.ts";
import type { Op } from "../../../graph/op.ts";
import type { KeptPlan } from "../idle-plans.ts";
import type { View } from "../layout.ts";
import { fastest } from "../plain-form.ts";
import type { SharedTask, Threads } from "../threads/threads.ts";
import { Underway } from "../underway.ts";
import { closeProgram, type Location, locationsOf, movedFrom, openedOf } from "./closed.ts";
import { codeOf, isCompiled, readsStored } from "./codes.ts";
import { type GroupCode, ownBytes, refusingFirst, refusingSteps } from "./group-code.ts";
import type { Heap, HeapBlock, HeapStorage } from "./heap.ts";
import { Home } from "./home.ts";
import { type ProgramCode, programCode } from "./program-code.ts";
import {
  exportsOf,
  importsOf,
  type ModuleExports,
  type ModuleTask,
  moduleOf,
} from "./program-module.ts";
import { engineName } from "./simd-level.ts";

/** A run that takes longer goes on between other tasks of the page. */
const LONG_MS = 50;

/** What computes one group: code, or its op's plain form. */
type GroupTask = GroupCode | (() => void);

/** Memory of values between groups, and of the table of addresses. */
interface Slots {
  readonly blocks: readonly HeapBlock[];
  readonly table: HeapBlock;
}

/** What a plan has of its engine. */
interface PlanHold {
  /** Not kept by what waits for the plan's end, for it knows of its device. */
  readonly heap: WeakRef<Heap>;
  readonly threads: Threads | null;
  slots: Slots | null;
  /** Its number among the plans that threads know. */
  known: number | null;
}

/** Gives back what a plan has of its engine. */
function letGo(hold: PlanHold): void {
  const { slots, known, threads } = hold;
  const heap = hold.heap.deref();
  hold.slots = hold.known = null;
  collectedPlans.unregister(hold);
  if (slots && heap) {
    for (const block of slots.blocks) heap.give(block);
    heap.free(slots.table);
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

/** What a module of tasks without code would give. */
function hostExports(tasks: readonly (() => void)[]): ModuleExports {
  return {
    run: () => {
      for (const task of tasks) task();
      return tasks.length;
    },
    tasks: tasks.map((task) => () => {
      task();
      return 0;
    }),
    parts: [],
  };
}

/** What a run that ends in the middle throws. */
function failureOf({ message }: Error): DeviceError {
  return new DeviceError(`run: ${message}; expected a run to its end`);
}

/** A program as one module that works on one memory. A run takes no memory but the outputs'. */
export class CompiledPlan implements KeptPlan {
  readonly #schedule: KernelSchedule;
  readonly #locations: readonly Location[];
  readonly #homes = new Map<number, Home>();
  readonly #tasks: readonly GroupTask[];
  readonly #sources: readonly Home[];
  readonly #outputs: readonly Home[];
  readonly #memory: MemoryPlan;
  readonly #programCode: ProgramCode;
  #functions: ModuleExports | null = null;
  readonly #hold: PlanHold;
  /** For how long a run begins at once, in milliseconds; null where it is known to be over by then. */
  #slice: number | null = LONG_MS;
  /** How many tasks there are up to the last that may refuse a value. */
  readonly #refusing: number;
  /** Whether a run has failed in the middle, when states may have changed. */
  #hasFailed = false;
  /** Which sources it changes. */
  readonly #updated: readonly number[];
  #last: LastRun | null = null;
  /** Runs in its place where its module is refused. */
  #plainPlan: CompiledPlan | null = null;
  readonly #shared = new Map<number, SharedTask>();

  /** @param hasCode whether it may have a module; without one all ops run in their plain form. */
  constructor(
    readonly program: Program,
    readonly heap: Heap,
    readonly isFused: boolean,
    readonly underway = new Underway(),
    readonly threads: Threads | null = null,
    readonly hasCode = true,
  ) {
    const closed = closeProgram(program, hasCode ? isCompiled : () => false, readsStored);
    const options = { kept: closed.kept, joinsRows: false };
    const schedule = refusingFirst(scheduleOf(closed.program, Number.POSITIVE_INFINITY, options));
    this.#programCode = programCode(program, [
      isFused,
      hasCode,
      threads && [threads.count, threads.worth, threads.unit],
    ]);
    this.#schedule = schedule;
    this.#locations = locationsOf(schedule.program.steps, schedule.stored);
    this.#sources = program.sources.map((step) => this.#home(step));
    this.#outputs = program.outputs.map((step) => this.#home(step));
    this.#tasks = schedule.groups.map((group, i) => this.#code(group, i) ?? this.#plain(group));
    this.#memory = planMemory(this.#lifetimes());
    const { groups } = schedule;
    this.#refusing = 1 + groups.findLastIndex((x) => refusingSteps(schedule, x).length > 0);
    this.#updated = program.updates.map(({ source }) => program.sources.indexOf(source));
    this.#hold = { heap: new WeakRef(heap), threads, slots: null, known: null };
  }

  async stats(): Promise<PlanStats> {
    const { compiledStats } = await tools.get();
    return compiledStats({
      schedule: this.#schedule,
      codes: this.#tasks.map((task) => (typeof task === "function" ? null : task)),
      sizes: this.#memory.sizes,
      values: this.#lifetimes(),
      engine: engineName(this.isFused),
      write: () => this.#write(),
    });
  }

  get ready(): boolean {
    return this.#functions !== null;
  }

  async prepare(): Promise<void> {
    const code = this.#programCode;
    code.module ??= await WebAssembly.compile(this.#write());
    this.#functions ??= this.#started(await WebAssembly.instantiate(code.module, this.#imports));
  }

  get bytes(): number {
    const own = this.#hold.slots?.blocks.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;
    return own + (this.#plainPlan?.bytes ?? 0);
  }

  run(storages: readonly Storage[]): Storage[] {
    return this.#startedPlan().#runOn(storages as readonly HeapStorage[]);
  }

  #runOn(sources: readonly HeapStorage[]): Storage[] {
    return this.#run(sources, (functions, table, made) => {
      const fail = (error: Error) => this.#fail(error, made, sources);
      try {
        if (this.#slice === null) return functions.run(table);
        return this.#runSlowly(functions, table, fail);
      } catch (error) {
        if (this.#hasFailed) fail(error as Error);
        throw error;
      }
    });
  }

  /** Has what a run should have written be an error. */
  #fail(error: Error, outputs: readonly HeapStorage[], sources: readonly HeapStorage[]): void {
    this.#hasFailed = false;
    const failure = error instanceof DeviceError ? error : failureOf(error);
    const updated = this.#updated.map((i) => sources[i]);
    for (const storage of [...outputs, ...updated]) storage.failure = failure;
  }

  async profile(storages: readonly Storage[]): Promise<{ outputs: Storage[]; profile: Profile }> {
    const { timeTasks } = await tools.get();
    const plan = this.#startedPlan();
    let profile!: Profile;
    const outputs = plan.#run(storages as readonly HeapStorage[], ({ tasks }, table) => {
      profile = timeTasks(
        plan.#schedule.groups.map((group, i) => ({
          name: opsOf(plan.#schedule, group).join("+"),
          run: () => {
            if (tasks[i](table)) plan.#refuse(group);
          },
          changed: plan.#changed(group, i),
        })),
      );
      return tasks.length;
    });
    return { outputs, profile };
  }

  /** Frees the memory for values between groups, when it is no longer used. */
  dispose(): void {
    this.underway.afterwards(() => this.#free());
  }

  #free(): void {
    letGo(this.#hold);
    this.#last = null;
    for (const home of this.#homes.values()) home.leave();
    this.#plainPlan?.dispose();
  }

  /** This plan, or where its module is refused, one that needs none. */
  #startedPlan(): CompiledPlan {
    try {
      if (!this.#plainPlan) this.#functions ??= this.#start();
    } catch (error) {
      // Browsers refuse large modules where nothing can wait for them: 8 MB, once 4 kB.
      if (!(error instanceof RangeError)) throw error;
      const plain = new CompiledPlan(
        this.program,
        this.heap,
        this.isFused,
        this.underway,
        null,
        false,
      );
      plain.#functions = plain.#start();
      this.#plainPlan = plain;
    }
    return this.#plainPlan ?? this;
  }

  #run(
    sources: readonly HeapStorage[],
    compute: (functions: ModuleExports, table: number, made: readonly HeapStorage[]) => number,
  ): Storage[] {
    this.underway.finish();
    const made: HeapStorage[] = [];
    try {
      this.#takeSlots();
      for (const { dtype, size } of this.#outputs) made.push(this.heap.store(dtype, size));
      const table = this.#move(sources, made);
      const done = compute(this.#functions as ModuleExports, table, made);
      if (done < this.#tasks.length) this.#refuse(this.#schedule.groups[done]);
      return made;
    } catch (error) {
      // Where memory ran out, or a task threw, as for a label that is none, nobody gets them.
      for (const { block } of made) this.heap.give(block);
      throw error;
    }
  }

  /**
   * Runs tasks one by one. What may refuse values is computed at once; what takes longer than a slice
   * of time goes on between other tasks of the page. Gives what `run` of the module does.
   */
  #runSlowly({ tasks }: ModuleExports, table: number, fail: (error: Error) => void): number {
    const count = tasks.length;
    let next = 0;
    for (; next < this.#refusing; next++) if (tasks[next](table)) return next;
    let time = 0;
    const advance = (most: number): boolean => {
      // Where the memory has grown, plain forms see it anew.
      for (const home of this.#homes.values()) home.move(home.address);
      const begin = performance.now();
      let now = begin;
      for (; next < count && now - begin < most; now = performance.now()) tasks[next++](table);
      time += now - begin;
      if (next < count) return false;
      this.#slice = time > LONG_MS ? SLICE_MS : null;
      return true;
    };
    if (!advance(this.#slice as number)) this.underway.begin({ advance, fail });
    return count;
  }

  /** Has all homes where their values are in this run; gives the address of the table. */
  #move(sources: readonly HeapStorage[], outputs: readonly HeapStorage[]): number {
    const { blocks, table } = this.#hold.slots as Slots;
    const { buffer } = this.heap;
    if (this.#last?.buffer !== buffer) {
      const addresses = new Int32Array(buffer, table.address, this.#homes.size);
      this.#last = { buffer, addresses, sources: [] };
      for (const [key, slot] of this.#memory.slots) {
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
    return table.address;
  }

  #put(home: Home, { address }: HeapBlock): void {
    if (home.move(address)) (this.#last as LastRun).addresses[home.place] = address;
  }

  #takeSlots(): void {
    if (this.#hold.slots) return;
    const blocks: HeapBlock[] = [];
    try {
      for (const bytes of this.#memory.sizes) blocks.push(this.heap.take(bytes));
      this.#hold.slots = { blocks, table: this.heap.reserve(4 * this.#homes.size) };
      collectedPlans.register(this, this.#hold, this.#hold);
      this.#clear(blocks);
    } catch (error) {
      for (const block of blocks) this.heap.give(block);
      throw error;
    }
  }

  /** Clears memory that is kept from run to run. */
  #clear(blocks: readonly HeapBlock[]): void {
    for (const [i, task] of this.#tasks.entries()) {
      if (typeof task === "function" || !task.isKept) continue;
      const { address } = blocks[this.#memory.slots.get(-1 - i) as number];
      this.heap.view("u8", address, this.#scratch(i, task).bytes).fill(0);
    }
  }

  #write(): Uint8Array<ArrayBuffer> {
    return moduleOf(
      this.#tasks.map((task, i): ModuleTask => {
        if (typeof task === "function") return "host";
        const homes = [...task.steps.map((step) => this.#home(step)), this.#scratch(i, task)];
        const refuses = refusingSteps(this.#schedule, this.#schedule.groups[i]).length > 0;
        return { code: task, places: homes.map(({ place }) => place), refuses };
      }),
      this.threads !== null,
    );
  }

  get #imports() {
    return importsOf(this.heap.memory, (i) => this.#host(i));
  }

  #start(): ModuleExports {
    if (!this.hasCode) return hostExports(this.#tasks as readonly (() => void)[]);
    const code = this.#programCode;
    code.module ??= new WebAssembly.Module(this.#write());
    return this.#started(new WebAssembly.Instance(code.module, this.#imports));
  }

  /** The functions of its module, of which those that may be shared out are noted. */
  #started(instance: WebAssembly.Instance): ModuleExports {
    const functions = exportsOf(instance, this.#tasks.length);
    for (const [number, run] of functions.parts.entries()) {
      const { units = 0 } = this.#tasks[number] as GroupCode;
      if (run) this.#shared.set(number, (this.threads as Threads).task(number, units, run));
    }
    return functions;
  }

  /** Computes a task for which its module calls. */
  #host(i: number): void {
    const task = this.#tasks[i];
    if (typeof task === "function") {
      task();
      return;
    }
    const [{ module }, hold] = [this.#programCode, this.#hold];
    hold.known ??= this.threads?.keep(module as WebAssembly.Module) ?? 0;
    const { address } = (hold.slots as Slots).table;
    try {
      this.threads?.share(hold.known, address, this.#shared.get(i) as SharedTask);
    } catch (error) {
      this.#hasFailed = true;
      throw failureOf(error as Error);
    }
  }

  /** The bytes that a group reads and writes. */
  #changed({ outputs }: Group, i: number): Uint8Array[] {
    const read = new Set(this.#schedule.reads[i].map((step) => this.#home(step)));
    const own = outputs.map((step) => this.#home(step)).filter((home) => read.has(home));
    return own.map(({ address, bytes }) => new Uint8Array(this.heap.buffer, address, bytes));
  }

  /** Where a stored step's values lie. */
  #home(step: number): Home {
    const key = this.#schedule.homes.get(step) ?? step;
    const { dtype, shape } = this.#schedule.program.steps[key];
    return this.#homeOf(key, () => new Home(this.heap, this.#homes.size, dtype, sizeOf(shape)));
  }

  /** Memory of a group's own, for each thread. */
  #scratch(group: number, code: GroupCode): Home {
    const bytes = ownBytes(code) * (code.units && this.threads ? this.threads.count : 1);
    return this.#homeOf(-1 - group, () => new Home(this.heap, this.#homes.size, "u8", bytes));
  }

  #homeOf(key: number, make: () => Home): Home {
    const home = this.#homes.get(key) ?? make();
    this.#homes.set(key, home);
    return home;
  }

  /** A value as a view, for as long as the plan lives. */
  #view({ root, view }: Location): View {
    return this.#home(root).see({ ...view });
  }

  /** The code of a group, if there is one for it. */
  #code(group: Group, i: number): GroupCode | null {
    const { isFused, threads, hasCode } = this;
    if (!hasCode) return null;
    const known = { schedule: this.#schedule, locations: this.#locations };
    const { groups } = this.#programCode;
    groups[i] ??= codeOf({ ...known, isFused, sharing: threads }, group);
    return groups[i];
  }

  /** Throws what the specification does where a group's code has refused a value. */
  #refuse(group: Group): never {
    const { steps } = this.#schedule.program;
    for (const i of refusingSteps(this.#schedule, group)) {
      const { op, inputs, attributes } = steps[i];
      const plain = fastest(
        op as Op,
        inputs.map((input) => steps[input]),
      );
      const operands = inputs.map((input) => this.#now(this.#locations[input]));
      plain(this.#now(this.#locations[i]), operands, attributes);
    }
    throw new GradusError(`${opsOf(this.#schedule, group)}: a value that is not allowed`);
  }

  /** A value as a view of the memory as it is now. */
  #now({ root, view }: Location): Strided {
    const { address, dtype, size } = this.#home(root);
    return { ...view, data: this.heap.view(dtype, address, size) };
  }

  /** Computes a group in the plain form of its op, or copies. */
  #plain({ anchors, outputs }: Group): () => void {
    const { steps } = this.#schedule.program;
    const [anchor] = anchors;
    if (anchor === undefined) {
      const copies = outputs.map((output) => ({
        from: this.#view(movedFrom(steps, steps[output], this.#locations)),
        to: this.#view(this.#locations[output]),
      }));
      return () => {
        for (const { from, to } of copies) copyStrided(from, to.data);
      };
    }
    const { inputs, attributes, op } = steps[anchor];
    const own = openedOf(op as Op) as Op;
    const operands = inputs.map((input) => this.#view(this.#locations[input]));
    const { cpuAll } = own;
    if (cpuAll) {
      const results: View[] = [];
      for (const i of anchors) results[steps[i].result ?? 0] = this.#view(this.#locations[i]);
      return () => cpuAll(results, operands, attributes);
    }
    const types = inputs.map((input) => steps[input]);
    const cpu = fastest(own, types);
    const y = this.#view(this.#locations[anchor]);
    return () => cpu(y, operands, attributes);
  }

  /** When the values between groups, and the memory of their own, are needed. */
  #lifetimes(): Lifetime[] {
    const { program, groups, reads, homes } = this.#schedule;
    const own = new Set([...program.sources, ...program.outputs]);
    const found = new Map<number, Lifetime>();
    groups.forEach(({ outputs }, at) => {
      const task = this.#tasks[at];
      if (typeof task !== "function") {
        const { bytes } = this.#scratch(at, task);
        if (bytes > 0) {
          // What is kept shares its memory with nothing.
          const [first, last] = task.isKept ? [0, groups.length - 1] : [at, at];
          found.set(-1 - at, { key: -1 - at, bytes, first, last });
        }
      }
      for (const step of [...reads[at], ...outputs]) {
        const key = homes.get(step) ?? step;
        if (own.has(key)) continue;
        const first = found.get(key)?.first ?? at;
        found.set(key, { key, bytes: this.#home(key).bytes, first, last: at });
      }
    });
    return [...found.values()];
  }
}
