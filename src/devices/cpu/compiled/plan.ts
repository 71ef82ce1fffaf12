import { SLICE_MS } from "../../../core/event-loop.ts";
import { tools } from "../../../core/tools.ts";
import type { PlanStats } from "../../../engine/plan.ts";
import type { Profile } from "../../../engine/profile.ts";
import type { Program } from "../../../engine/program.ts";
import { type KernelSchedule, scheduleOf } from "../../../engine/schedule.ts";
import type { Storage } from "../../../graph/device.ts";
import type { KeptPlan } from "../idle-plans.ts";
import type { Threads } from "../threads/threads.ts";
import { failureOf, LONG_MS, Underway } from "../underway.ts";
import { closeProgram } from "./closed.ts";
import { isCompiled, readsStored } from "./codes.ts";
import type { Heap, HeapStorage } from "./heap.ts";
import { PlanMemory } from "./plan-memory.ts";
import { PlanTasks } from "./plan-tasks.ts";
import { blocking } from "./product-code.ts";
import type { ModuleExports } from "./program-module.ts";
import { inRunOrder } from "./run-order.ts";
import { engineName } from "./simd-level.ts";

/** A program as one module that works on one memory. A run takes no memory but the outputs'. */
export class CompiledPlan implements KeptPlan {
  readonly #schedule: KernelSchedule;
  readonly #memory: PlanMemory;
  readonly #tasks: PlanTasks;
  #functions: ModuleExports | null = null;
  /** For how long a run begins at once, in milliseconds; null where it is known to be over by then. */
  #slice: number | null = LONG_MS;
  /** Runs in its place where its module is refused. */
  #plainPlan: CompiledPlan | null = null;

  /** @param hasCode whether it may have a module; without one all ops run in their plain form. */
  constructor(
    readonly program: Program,
    readonly heap: Heap,
    readonly isFused: boolean,
    readonly underway = new Underway(),
    readonly threads: Threads | null = null,
    hasCode = true,
  ) {
    const hasForm = hasCode ? isCompiled : () => false;
    const closed = closeProgram(program, hasForm, readsStored, blocking !== null);
    const options = { kept: closed.kept, joinsRows: false };
    const schedule = inRunOrder(scheduleOf(closed.program, Number.POSITIVE_INFINITY, options));
    this.#schedule = schedule;
    this.#memory = new PlanMemory(heap, schedule, threads);
    this.#tasks = new PlanTasks(program, schedule, this.#memory, isFused, threads, hasCode);
  }

  async stats(): Promise<PlanStats> {
    const { compiledStats } = await tools.get();
    return compiledStats({
      schedule: this.#schedule,
      codes: this.#tasks.codes,
      sizes: this.#memory.sizes,
      values: this.#memory.lifetimes,
      engine: engineName(this.isFused),
      write: () => this.#tasks.write(),
    });
  }

  get ready(): boolean {
    return this.#functions !== null;
  }

  async prepare(): Promise<void> {
    this.#functions ??= await this.#tasks.prepare();
  }

  get bytes(): number {
    return this.#memory.bytes + (this.#plainPlan?.bytes ?? 0);
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
        if (this.#tasks.hasFailed) fail(error as Error);
        throw error;
      }
    });
  }

  /** Has what a run should have written be an error. */
  #fail(error: Error, outputs: readonly HeapStorage[], sources: readonly HeapStorage[]): void {
    this.#tasks.hasFailed = false;
    const failure = failureOf(error);
    const { updates, sources: steps } = this.program;
    const updated = updates.map(({ source }) => sources[steps.indexOf(source)]);
    for (const storage of [...outputs, ...updated]) storage.failure = failure;
  }

  async profile(storages: readonly Storage[]): Promise<{ outputs: Storage[]; profile: Profile }> {
    const { timeGroups } = await tools.get();
    const plan = this.#startedPlan();
    let profile!: Profile;
    const outputs = plan.#run(storages as readonly HeapStorage[], ({ tasks }, table) => {
      profile = timeGroups(plan.#schedule, plan.#memory, (i) => {
        if (tasks[i](table)) plan.#tasks.refuse(i);
      });
      return tasks.length;
    });
    return { outputs, profile };
  }

  /** Frees the memory for values between groups, when it is no longer used. */
  dispose(): void {
    this.underway.afterwards(() => {
      this.#memory.free();
      this.#plainPlan?.dispose();
    });
  }

  /** This plan, or where its module is refused, one that needs none. */
  #startedPlan(): CompiledPlan {
    try {
      if (!this.#plainPlan) this.#functions ??= this.#tasks.start();
    } catch (error) {
      // Browsers refuse large modules where nothing can wait for them: 8 MB, once 4 kB.
      if (!(error instanceof RangeError)) throw error;
      const { program, heap, isFused, underway } = this;
      const plain = new CompiledPlan(program, heap, isFused, underway, null, false);
      plain.#functions = plain.#tasks.start();
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
    const { codes } = this.#tasks;
    try {
      this.#memory.take(this, codes);
      this.#memory.makeOutputs(made);
      const table = this.#memory.move(sources, made);
      const done = compute(this.#functions as ModuleExports, table, made);
      if (done < codes.length) this.#tasks.refuse(done);
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
    const { refusing } = this.#tasks;
    let next = 0;
    for (; next < refusing; next++) if (tasks[next](table)) return next;
    let time = 0;
    const advance = (most: number): boolean => {
      this.#memory.seeAnew();
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
}
