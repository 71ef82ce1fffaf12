import { DTYPES } from "../../../core/dtype.ts";
import { sizeOf } from "../../../core/shape.ts";
import { copyStrided } from "../../../core/strided-loops.ts";
import { tools } from "../../../core/tools.ts";
import type { Group } from "../../../engine/fusion.ts";
import { opsOf, stepsOf } from "../../../engine/group-ops.ts";
import { type Lifetime, type MemoryPlan, planMemory } from "../../../engine/memory-plan.ts";
import type { KernelStats, PlanStats } from "../../../engine/plan.ts";
import type { KernelTime, Profile } from "../../../engine/profile.ts";
import type { Program, Step } from "../../../engine/program.ts";
import { type KernelSchedule, scheduleOf } from "../../../engine/schedule.ts";
import type { Storage } from "../../../graph/device.ts";
import type { Op } from "../../../graph/op.ts";
import type { KeptPlan } from "../idle-plans.ts";
import { NO_DATA, type View } from "../layout.ts";
import { fastest } from "../plain-form.ts";
import { closeProgram, type Location, locationsOf, movedFrom, openedOf } from "./closed.ts";
import type { Heap, HeapBlock, HeapStorage } from "./heap.ts";

/** Values in memory: those of a source, of an output or between groups. */
class Home {
  address = -1;
  readonly size: number;
  readonly views: View[] = [];
  #buffer: ArrayBuffer | null = null;

  constructor(
    readonly heap: Heap,
    readonly step: Step,
  ) {
    this.size = sizeOf(step.shape);
  }

  get bytes(): number {
    return this.size * DTYPES[this.step.dtype].array.BYTES_PER_ELEMENT;
  }

  /** Has all views see what lies at an address. */
  move(address: number): void {
    const { heap, step, size, views } = this;
    if (views.length > 0 && (this.address !== address || this.#buffer !== heap.buffer)) {
      const data = heap.view(step.dtype, address, size);
      for (const view of views) view.data = data;
      this.#buffer = heap.buffer;
    }
    this.address = address;
  }

  /** Forgets the memory, so that it can be collected. */
  leave(): void {
    for (const view of this.views) view.data = NO_DATA;
    this.#buffer = null;
  }
}

/** Computes one group. */
interface GroupTask {
  readonly group: Group;
  run(): void;
}

/** A program as groups on one memory. A run takes no memory but the outputs'. */
export class CompiledPlan implements KeptPlan {
  readonly ready = true;
  readonly #schedule: KernelSchedule;
  readonly #locations: readonly Location[];
  readonly #homes = new Map<number, Home>();
  readonly #tasks: readonly GroupTask[];
  readonly #sources: readonly Home[];
  readonly #outputs: readonly Home[];
  readonly #memory: MemoryPlan;
  #slots: HeapBlock[] | null = null;

  constructor(
    program: Program,
    readonly heap: Heap,
  ) {
    const closed = closeProgram(program, () => false);
    const schedule = scheduleOf(closed.program, Number.POSITIVE_INFINITY, closed.kept);
    this.#schedule = schedule;
    this.#locations = locationsOf(schedule.program.steps, schedule.stored);
    this.#sources = program.sources.map((step) => this.#home(step));
    this.#outputs = program.outputs.map((step) => this.#home(step));
    this.#tasks = schedule.groups.map((group) => ({ group, run: this.#plain(group) }));
    this.#memory = planMemory(this.#lifetimes());
  }

  async stats(): Promise<PlanStats> {
    const { flopsOf, planStats, total } = await tools.get();
    const { program, reads } = this.#schedule;
    const kernels = this.#tasks.map(({ group }, i): KernelStats => {
      const flops = stepsOf(this.#schedule, group).map((step) => flopsOf(program, step));
      const bytes = [...reads[i], ...group.outputs].map((step) => this.#home(step).bytes);
      const groups = [opsOf(this.#schedule, group)];
      return { groups, flops: total(flops), bytes: total(bytes), workgroups: 0, bindings: 0 };
    });
    return planStats(0, kernels, this.#memory.sizes, this.#lifetimes());
  }

  /** There is nothing to build. */
  async prepare(): Promise<void> {}

  get bytes(): number {
    return (this.#slots ?? []).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  run(storages: readonly Storage[]): Storage[] {
    return this.#run(storages as readonly HeapStorage[], () => {
      for (const task of this.#tasks) task.run();
    });
  }

  async profile(storages: readonly Storage[]): Promise<{ outputs: Storage[]; profile: Profile }> {
    const kernels: KernelTime[] = [];
    const outputs = this.#run(storages as readonly HeapStorage[], () => {
      const origin = performance.now();
      for (const { group, run } of this.#tasks) {
        const begin = performance.now();
        run();
        const duration = 1000 * (performance.now() - begin);
        const name = opsOf(this.#schedule, group).join("+");
        kernels.push({ name, start: 1000 * (begin - origin), duration });
      }
    });
    return { outputs, profile: { clock: "host", kernels } };
  }

  dispose(): void {
    for (const block of this.#slots ?? []) this.heap.give(block);
    this.#slots = null;
    for (const home of this.#homes.values()) home.leave();
  }

  #run(sources: readonly HeapStorage[], tasks: () => void): Storage[] {
    const made: HeapStorage[] = [];
    try {
      this.#takeSlots();
      for (const { step, size } of this.#outputs) made.push(this.heap.store(step.dtype, size));
      this.#sources.forEach((home, i) => {
        home.move(sources[i].block.address);
      });
      this.#outputs.forEach((home, i) => {
        home.move(made[i].block.address);
      });
      for (const [step, slot] of this.#memory.slots) {
        (this.#homes.get(step) as Home).move((this.#slots as HeapBlock[])[slot].address);
      }
      tasks();
      return made;
    } catch (error) {
      // Where memory ran out, or a task threw, as for a label that is none, nobody gets them.
      for (const { block } of made) this.heap.give(block);
      throw error;
    }
  }

  #takeSlots(): void {
    if (this.#slots) return;
    this.#slots = [];
    try {
      for (const bytes of this.#memory.sizes) this.#slots.push(this.heap.take(bytes));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Where a stored step's values lie. */
  #home(step: number): Home {
    const key = this.#schedule.homes.get(step) ?? step;
    const known = this.#homes.get(key);
    if (known) return known;
    const home = new Home(this.heap, this.#schedule.program.steps[key]);
    this.#homes.set(key, home);
    return home;
  }

  /** A value as a view, for as long as the plan lives. */
  #view({ root, view }: Location): View {
    const own = { ...view };
    this.#home(root).views.push(own);
    return own;
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
    const cpu = fastest(
      own,
      inputs.map((input) => steps[input]),
    );
    const y = this.#view(this.#locations[anchor]);
    return () => cpu(y, operands, attributes);
  }

  /** When the values between groups are in memory. */
  #lifetimes(): Lifetime[] {
    const { program, groups, reads, homes } = this.#schedule;
    const own = new Set([...program.sources, ...program.outputs]);
    const found = new Map<number, Lifetime>();
    groups.forEach(({ outputs }, at) => {
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
