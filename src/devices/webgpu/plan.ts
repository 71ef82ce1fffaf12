import type { Counters } from "../../core/counters.ts";
import { MemoryError } from "../../core/errors.ts";
import { tools } from "../../core/tools.ts";
import { lower } from "../../engine/lower.ts";
import { type Lifetime, type MemoryPlan, planMemory } from "../../engine/memory-plan.ts";
import type { Plan, PlanOptions, PlanStats, Progress } from "../../engine/plan.ts";
import { type Program, readsOf } from "../../engine/program.ts";
import { type KernelSchedule, scheduleOf } from "../../engine/schedule.ts";
import type { Choose } from "../../forms/kernel.ts";
import type { Traits } from "../../forms/traits.ts";
import { type BufferPool, type BufferStorage, checkFits, GRANULE } from "./buffers.ts";
import { generate, type KernelCode } from "./codegen.ts";
import { firstOf, type Guard } from "./guard.ts";
import { jobsOf } from "./jobs.ts";
import type { Log, LogEntry } from "./log.ts";
import type { SettledKernel } from "./numbers.ts";
import { pack } from "./pack.ts";
import type { PipelineCache, Shared } from "./pipelines.ts";
import { statsOf, stepBytes } from "./stats.ts";
import type { Dispatches, SubmitQueue } from "./submit-queue.ts";
import { takeAll } from "./take-all.ts";

/** What a plan needs of its session. */
export interface PlanHost {
  readonly device: GPUDevice;
  readonly guard: Guard;
  readonly log: Log;
  readonly queue: SubmitQueue;
  readonly timeout: number;
  readonly pool: BufferPool;
  readonly pipelines: PipelineCache;
  readonly traits: Traits;
  /** Decides which kernels run. */
  readonly choose: Choose;
  readonly counters: Counters;
  /** Begins what the user called as `op`; throws a `DeviceError` when the device is gone. */
  begin(op: string): void;
  /** Puts work into the present submit, and ends it unless more are to share it. */
  record(work: Dispatches, options: PlanOptions): LogEntry;
}

/** One dispatch: a kernel and the places of its buffers in the plan's list. */
interface Dispatch {
  readonly kernel: SettledKernel;
  readonly buffers: readonly number[];
  /** Where its numbers begin, in granules. */
  readonly numbers: number;
  /** The folded grid. */
  readonly x: number;
  readonly y: number;
  /** Bind groups by the buffers that they bind. */
  readonly known: Map<string, GPUBindGroup>;
}

/** Bind groups kept per dispatch; the pool gives the same buffers again and again. */
const BIND_GROUP_LIMIT = 16;

/** A plan with the buffers of a run; one after the other may run the same. */
class PlanRun implements Dispatches {
  constructor(
    readonly plan: GpuPlan,
    readonly label: string,
    readonly dispatches: readonly Dispatch[],
    readonly pipelines: readonly Shared[],
    readonly bindGroups: readonly GPUBindGroup[],
    readonly reads: readonly BufferStorage[],
    readonly writes: readonly BufferStorage[],
  ) {}

  encode(pass: GPUComputePassEncoder): void {
    for (let i = 0; i < this.dispatches.length; i++) this.encodeOne(pass, i);
  }

  encodeOne(pass: GPUComputePassEncoder, i: number): void {
    const { x, y } = this.dispatches[i];
    pass.setPipeline(this.pipelines[i].pipeline as GPUComputePipeline);
    pass.setBindGroup(0, this.bindGroups[i]);
    pass.dispatchWorkgroups(x, y);
  }
}

/**
 * A program as dispatches in order. Running it again on the same storages is a flat loop over
 * pipelines, bind groups and grids: nothing is made and nothing is decided.
 */
export class GpuPlan implements Plan {
  readonly stats: PlanStats;
  readonly #label: string;
  readonly #dispatches: readonly Dispatch[];
  /** What is bound now: sources, then outputs, then the slots of values in between. */
  readonly #buffers: BufferStorage[] = [];
  /** Which sources' values are used, and which are replaced. */
  readonly #isRead: readonly boolean[];
  readonly #isWritten: readonly boolean[];
  /** Bytes of each output. */
  readonly outputBytes: readonly number[];
  readonly #memory: MemoryPlan;
  /** What its kernels read as uniform data, and the buffer with it. */
  readonly #words: Uint32Array;
  #numbers: BufferStorage | null = null;
  #holdsSlots = false;
  #pipelines: readonly Shared[] | null = null;
  #bindGroups: readonly GPUBindGroup[] | null = null;
  /** The last run, which the next one is again if it is on the same storages. */
  #run: PlanRun | null = null;

  constructor(
    readonly host: PlanHost,
    program: Program,
    readonly options: PlanOptions,
  ) {
    const { limits } = host.device;
    const bindings = limits.maxStorageBuffersPerShaderStage;
    const schedule = scheduleOf(lower(program, host.traits), bindings);
    const jobs = pack(jobsOf(schedule, host.choose), {
      bindings,
      memory: limits.maxComputeWorkgroupStorageSize,
    });
    const kernels = host.pipelines.settle(jobs.map((parts) => generate(schedule, parts)));
    const { sources, outputs, updates } = program;
    this.#isRead = readsOf(program);
    const written = new Set(updates.map(({ source }) => source));
    this.#isWritten = sources.map((step) => written.has(step));
    this.outputBytes = outputs.map((step) => stepBytes(program, step));
    this.#memory = planMemory(lifetimes(schedule, kernels));
    for (const bytes of [...this.outputBytes, ...this.#memory.sizes]) {
      checkFits("a value of", bytes, limits);
    }
    const places = placesOf(schedule, this.#memory);
    const { words, granules } = layNumbers(kernels);
    this.#words = words;
    this.#dispatches = kernels.map((kernel, i) => ({
      kernel,
      buffers: kernel.bindings.map(({ key }) => places.get(key) as number),
      numbers: granules[i],
      ...grid(kernel.workgroups),
      known: new Map(),
    }));
    this.#label = `gradus plan: ${kernels.map(({ label }) => label).join(", ")}`;
    this.stats = statsOf(schedule, jobs, kernels, this.#memory);
  }

  get ready(): boolean {
    const hasNumbers = this.#numbers !== null || this.#words.length === 0;
    const hasSlots = this.#holdsSlots || this.#memory.sizes.length === 0;
    return this.#pipelines !== null && hasNumbers && hasSlots;
  }

  async prepare(onProgress: Progress = () => {}): Promise<void> {
    const { op } = this.host.guard;
    if (!this.#pipelines) await this.#build(onProgress);
    await this.#reserve(op);
  }

  run(sources: readonly BufferStorage[]): BufferStorage[] {
    const { host, options } = this;
    const outputs = host.pool.acquireAll(this.outputBytes);
    try {
      const run = this.bound(sources, outputs);
      const { length } = this.#dispatches;
      const failure = length > 0 && host.record(run, options).failure;
      if (failure) throw failure;
      host.counters.add("dispatches", length);
      return outputs;
    } catch (error) {
      for (const storage of outputs) host.pool.release(storage);
      throw error;
    } finally {
      if (!options.repeated) this.#releaseSlots();
    }
  }

  async profile(sources: readonly BufferStorage[]) {
    const { op } = this.host.guard;
    return (await tools.get()).profilePlan(this, op, sources);
  }

  dispose(): void {
    this.#releaseSlots();
    this.#dropNumbers();
    this.#buffers.length = 0;
    for (const shared of this.#pipelines ?? []) this.host.pipelines.release(shared);
    this.#pipelines = null;
  }

  async #build(onProgress: Progress): Promise<void> {
    const { pipelines } = this.host;
    const { length: total } = this.#dispatches;
    let built = 0;
    onProgress(0, total);
    const builds = await Promise.allSettled(
      this.#dispatches.map(async ({ kernel }) => {
        const shared = await pipelines.build(kernel);
        onProgress(++built, total);
        return shared;
      }),
    );
    const done = builds.flatMap((build) => (build.status === "fulfilled" ? build.value : []));
    if (done.length === total && !this.#pipelines) this.#pipelines = done;
    else for (const shared of done) pipelines.release(shared); // a run may have made them
    for (const build of builds) if (build.status === "rejected") throw build.reason;
  }

  /** Makes the buffers that runs need, and waits until they are known to be good. */
  async #reserve(op: string): Promise<void> {
    const { guard, pool } = this.host;
    for (let isLast = false; ; isLast = true) {
      this.host.begin(op);
      this.#holdNumbers();
      const outputs = pool.acquireAll(this.outputBytes);
      const slots = this.#holdsSlots ? [] : pool.acquireAll(this.#memory.sizes, "plans");
      const failure = await firstOf(guard.take());
      for (const storage of outputs) pool.release(storage);
      if (failure || this.#holdsSlots) for (const storage of slots) pool.release(storage);
      else this.#hold(slots);
      if (failure) this.#dropNumbers();
      if (!failure) return;
      // What was spare has been freed.
      if (isLast || !(failure instanceof MemoryError)) throw failure;
    }
  }

  /** Makes what is missing, and binds the buffers of one run. */
  bound(sources: readonly BufferStorage[], outputs: readonly BufferStorage[]): PlanRun {
    if (!this.#holdsSlots) this.#hold(this.host.pool.acquireAll(this.#memory.sizes, "plans"));
    this.#holdNumbers();
    for (let i = 0; i < sources.length; i++) this.#put(i, sources[i]);
    for (let i = 0; i < outputs.length; i++) this.#put(sources.length + i, outputs[i]);
    this.#pipelines ??= this.#getPipelines();
    this.#bindGroups ??= this.#dispatches.map((dispatch) => this.#bindGroup(dispatch));
    this.#run ??= new PlanRun(
      this,
      this.#label,
      this.#dispatches,
      this.#pipelines,
      this.#bindGroups,
      sources.filter((_, i) => this.#isRead[i]),
      [...sources.filter((_, i) => this.#isWritten[i]), ...outputs],
    );
    return this.#run;
  }

  /** Fills in a buffer of one run. */
  #put(i: number, storage: BufferStorage): void {
    const before = this.#buffers[i];
    if (before === storage) return;
    this.#buffers[i] = storage;
    this.#run = null;
    if (before?.id !== storage.id) this.#bindGroups = null;
  }

  #hold(slots: readonly BufferStorage[]): void {
    const from = this.#isRead.length + this.outputBytes.length;
    slots.forEach((storage, i) => {
      this.#put(from + i, storage);
    });
    this.#holdsSlots = true;
  }

  #holdNumbers(): void {
    if (this.#words.length > 0) this.#numbers ??= this.host.pool.hold(this.#words, "plans");
  }

  /** Frees the numbers, and all that is bound. */
  #dropNumbers(): void {
    if (this.#numbers) this.host.pool.drop(this.#numbers);
    this.#numbers = null;
    this.#bindGroups = null;
    this.#run = null;
    for (const { known } of this.#dispatches) known.clear();
  }

  #getPipelines(): readonly Shared[] {
    const { pipelines } = this.host;
    return takeAll(
      this.#dispatches,
      ({ kernel }) => pipelines.get(kernel),
      (shared) => pipelines.release(shared),
    );
  }

  #bindGroup({ kernel, buffers, numbers, known }: Dispatch): GPUBindGroup {
    const bound = buffers.map((place) => this.#buffers[place]);
    const key = bound.map(({ id }) => id).join();
    let group = known.get(key);
    if (group) return group;
    const { device, counters, guard, pipelines } = this.host;
    if (known.size >= BIND_GROUP_LIMIT) known.clear();
    counters.add("bindGroups");
    const resources: GPUBufferBinding[] = bound.map(({ buffer }) => ({ buffer }));
    if (kernel.numbers.length > 0) {
      const { buffer } = this.#numbers as BufferStorage;
      const size = 16 * Math.ceil(kernel.numbers.length / 4);
      resources.push({ buffer, offset: GRANULE * numbers, size });
    }
    group = guard.make(() =>
      device.createBindGroup({
        label: kernel.label,
        layout: pipelines.layout(kernel),
        entries: resources.map((resource, binding) => ({ binding, resource })),
      }),
    );
    known.set(key, group);
    return group;
  }

  #releaseSlots(): void {
    if (!this.#holdsSlots) return;
    this.#holdsSlots = false;
    const from = this.#isRead.length + this.outputBytes.length;
    for (const storage of this.#buffers.slice(from)) this.host.pool.release(storage);
  }
}

/** Lays the numbers of kernels one behind the other, equal ones once, and tells where they begin. */
function layNumbers(kernels: readonly SettledKernel[]): { words: Uint32Array; granules: number[] } {
  const words: number[] = [];
  const known = new Map<string, number>();
  const granules = kernels.map(({ numbers }) => {
    const key = numbers.join();
    const first = known.get(key) ?? (4 * words.length) / GRANULE;
    if (numbers.length === 0 || known.has(key)) return first;
    known.set(key, first);
    words.push(...numbers);
    while ((4 * words.length) % GRANULE !== 0) words.push(0);
    return first;
  });
  return { words: Uint32Array.from(words), granules };
}

/** When the values between kernels are in memory. */
export function lifetimes({ program }: KernelSchedule, kernels: readonly KernelCode[]): Lifetime[] {
  const { sources, outputs } = program;
  const own = new Set([...sources, ...outputs]);
  const found = new Map<number, Lifetime>();
  kernels.forEach(({ bindings }, at) => {
    for (const { key } of bindings) {
      if (own.has(key)) continue;
      const first = found.get(key)?.first ?? at;
      const bytes = stepBytes(program, key);
      found.set(key, { key, bytes, first, last: at });
    }
  });
  return [...found.values()];
}

/** Where in a plan's list of buffers each key of its kernels is. */
function placesOf({ program }: KernelSchedule, memory: MemoryPlan): Map<number, number> {
  const own = [...program.sources, ...program.outputs];
  return new Map([
    ...[...memory.slots].map(([key, slot]) => [key, own.length + slot] as const),
    ...own.map((step, i) => [step, i] as const),
  ]);
}

/** Folds a linear grid that is longer than one dimension may be. */
function grid(workgroups: number): { x: number; y: number } {
  const x = Math.min(workgroups, 65535);
  return { x, y: x === 0 ? 0 : Math.ceil(workgroups / x) };
}
