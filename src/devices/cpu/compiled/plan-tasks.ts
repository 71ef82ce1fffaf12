import type { Program } from "../../../engine/program.ts";
import type { KernelSchedule } from "../../../engine/schedule.ts";
import type { SharedTask, Threads } from "../threads/threads.ts";
import { failureOf } from "../underway.ts";
import { locationsOf } from "./closed.ts";
import { codeOf } from "./codes.ts";
import { ALONE, type GroupCode, refusingSteps } from "./group-code.ts";
import { PlainTasks } from "./plain-tasks.ts";
import type { PlanMemory } from "./plan-memory.ts";
import { moduleFrom, type ProgramCode, programCode } from "./program-code.ts";
import {
  exportsOf,
  hostExports,
  importsOf,
  type ModuleExports,
  type ModuleTask,
  moduleOf,
} from "./program-module.ts";

/** What computes the groups of a plan: functions of one module, or plain forms that it calls. */
export class PlanTasks {
  /** The codes of groups; null for those that the host computes in the plain forms of their ops. */
  readonly codes: readonly (GroupCode | null)[];
  /** Whether a task has failed that states may have changed before. */
  hasFailed = false;
  readonly #plain: PlainTasks;
  readonly #host: readonly (() => void)[];
  readonly #code: ProgramCode;
  readonly #shared: (SharedTask | undefined)[] = [];

  /** @param hasCode whether there may be a module; without one all ops run in their plain form. */
  constructor(
    program: Program,
    readonly schedule: KernelSchedule,
    readonly memory: PlanMemory,
    isFused: boolean,
    readonly threads: Threads | null,
    hasCode: boolean,
  ) {
    const sharing = threads && [threads.count, threads.worth, threads.unit];
    this.#code = programCode(program, [isFused, hasCode, sharing]);
    const locations = locationsOf(schedule.program.steps, schedule.stored);
    const context = { schedule, locations, isFused, sharing: threads ?? ALONE };
    const known = this.#code.groups;
    this.codes = schedule.groups.map((group, i) => {
      known[i] ??= hasCode ? codeOf(context, group) : null;
      return known[i];
    });
    this.#plain = new PlainTasks(schedule, locations, memory);
    this.#host = schedule.groups.map((group, i) =>
      this.codes[i] ? () => this.#share(i) : this.#plain.task(group),
    );
    memory.layOut(this.codes);
  }

  /** How many tasks there are up to the last that may refuse a value. */
  get refusing(): number {
    return 1 + this.codes.findLastIndex((_, i) => this.#refuses(i));
  }

  /** Writes the module. */
  write(): Uint8Array<ArrayBuffer> {
    const { memory } = this;
    const tasks = this.codes.map((code, i): ModuleTask => {
      if (!code) return "host";
      const homes = [...code.steps.map((step) => memory.home(step)), memory.own(i, code)];
      return { code, places: homes.map(({ place }) => place), refuses: this.#refuses(i) };
    });
    return moduleOf(tasks, this.threads !== null);
  }

  /** Starts the module, which is made while others do something. */
  async prepare(): Promise<ModuleExports> {
    if (!this.#hasModule) return hostExports(this.#host);
    this.#code.module ??= await moduleFrom(this.write());
    return this.#started(await WebAssembly.instantiate(this.#code.module, this.#imports));
  }

  /** Starts the module at once. */
  start(): ModuleExports {
    if (!this.#hasModule) return hostExports(this.#host);
    this.#code.module ??= new WebAssembly.Module(this.write());
    return this.#started(new WebAssembly.Instance(this.#code.module, this.#imports));
  }

  /** Throws what the specification does where a group's code has refused a value. */
  refuse(group: number): never {
    this.#plain.refuse(this.schedule.groups[group]);
  }

  /** Whether there is code; else a module would but call the host. */
  get #hasModule(): boolean {
    return this.codes.some((code) => code !== null);
  }

  #refuses(group: number): boolean {
    return refusingSteps(this.schedule, this.schedule.groups[group]).length > 0;
  }

  get #imports() {
    return importsOf(this.memory.heap.memory, (i) => this.#host[i]());
  }

  /** The functions of the module, of which those that may be shared out are noted. */
  #started(instance: WebAssembly.Instance): ModuleExports {
    const functions = exportsOf(instance, this.codes.length);
    for (const [i, run] of functions.parts.entries()) {
      const { units = 0 } = this.codes[i] ?? {};
      if (run) this.#shared[i] = this.threads?.task(i, units, run);
    }
    return functions;
  }

  /** Computes a task for which the module calls, with other threads. */
  #share(i: number): void {
    try {
      const module = this.#code.module as WebAssembly.Module;
      this.memory.share(module, this.#shared[i] as SharedTask);
    } catch (error) {
      this.hasFailed = true;
      throw failureOf(error as Error);
    }
  }
}
