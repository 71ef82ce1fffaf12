import type { Counters } from "../../core/counters.ts";
import { MemoryError } from "../../core/errors.ts";
import { getOrInsert } from "../../core/get-or-insert.ts";
import { sizeOf } from "../../core/shape.ts";
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
import { type Job, jobsOf } from "./jobs.ts";
import type { Log, LogEntry } from "./log.ts";
import type { SettledKernel } from "./numbers.ts";
import { pack } from "./pack.ts";
import type { PipelineCache, Shared } from "./pipelines.ts";
import type { Dispatches, SubmitQueue } from "./submit-queue.ts";
import { takeAll } from "./take-all.ts";
import { bytesOf } from "./transfer.ts";

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

/** A program as kernels, each with the jobs that it does. */
export interface Written {
  readonly schedule: KernelSchedule;
  readonly jobs: readonly (readonly Job[])[];
  readonly codes: readonly KernelCode[];
}

/** Writes the kernels of a program. */
export function writeProgram(program: Program, { device, traits, choose }: PlanHost): Written {
  const { maxStorageBuffersPerShaderStage: bindings, maxComputeWorkgroupStorageSize: memory } =
    device.limits;
  const schedule = scheduleOf(lower(program, traits), bindings);
  const jobs = pack(jobsOf(schedule, choose), { bindings, memory });
  return { schedule, jobs, codes: jobs.map((own) => generate(schedule, own)) };
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
interface PlanRun extends Dispatches {
  readonly dispatches: readonly Dispatch[];
  encodeOne(pass: GPUComputePassEncoder, i: number): void;
}

/**
 * A program as dispatches in order. Running it again on the same storages is a flat loop over
 * pipelines, bind groups and grids: nothing is made and nothing is decided.
 */
export class GpuPlan implements Plan {
  readonly #label: string;
  readonly #dispatches: readonly Dispatch[];
  /** What is bound now: sources, then outputs, then the slots of values in between. */
  #buffers: readonly BufferStorage[] = [];
  /** Which sources' values are used, and which are replaced. */
  readonly #isRead: readonly boolean[];
  readonly #isWritten: readonly boolean[];
  /** Bytes of each output. */
  readonly outputBytes: readonly number[];
  readonly #memory: MemoryPlan;
  /** What its kernels read as uniform data, and the buffer with it, if there is any. */
  readonly #words: Uint32Array;
  #numbers: readonly BufferStorage[] | null = null;
  #slots: readonly BufferStorage[] | null = null;
  #pipelines: readonly Shared[] | null = null;
  #bindGroups: readonly GPUBindGroup[] | null = null;
  /** The last run, which the next one is again if it is on the same storages. */
  #run: PlanRun | null = null;

  constructor(
    readonly host: PlanHost,
    readonly program: Program,
    readonly options: PlanOptions,
  ) {
    const { schedule, codes } = writeProgram(program, host);
    const kernels = host.pipelines.settle(codes);
    const { sources, outputs, updates } = program;
    this.#isRead = readsOf(program);
    const written = new Set(updates.map(({ source }) => source));
    this.#isWritten = sources.map((step) => written.has(step));
    this.outputBytes = outputs.map((step) => stepBytes(program, step));
    this.#memory = planMemory(lifetimes(schedule, kernels));
    for (const bytes of [...this.outputBytes, ...this.#memory.sizes]) {
      checkFits("a value of", bytes, host.device.limits);
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
  }

  get ready(): boolean {
    return !!(this.#pipelines && this.#numbers && this.#slots);
  }

  async stats(): Promise<PlanStats> {
    const { statsOf } = await tools.get();
    return statsOf(writeProgram(this.program, this.host));
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
    this.#buffers = [];
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
      const slots = this.#slots ? [] : this.#acquireSlots();
      const failure = await firstOf(guard.take());
      for (const storage of outputs) pool.release(storage);
      if (failure || this.#slots) for (const storage of slots) pool.release(storage);
      else this.#slots = slots;
      if (failure) this.#dropNumbers();
      if (!failure) return;
      // What was spare has been freed.
      if (isLast || !(failure instanceof MemoryError)) throw failure;
    }
  }

  /** Makes what is missing, and binds the buffers of one run. */
  bound(sources: readonly BufferStorage[], outputs: readonly BufferStorage[]): PlanRun {
    this.#slots ??= this.#acquireSlots();
    this.#holdNumbers();
    const before = this.#buffers;
    this.#buffers = [...sources, ...outputs, ...this.#slots];
    if (this.#buffers.some((storage, i) => storage !== before[i])) this.#run = null;
    if (this.#buffers.some(({ id }, i) => id !== before[i]?.id)) this.#bindGroups = null;
    const dispatches = this.#dispatches;
    this.#pipelines ??= this.#getPipelines();
    this.#bindGroups ??= dispatches.map((dispatch) => this.#bindGroup(dispatch));
    const [pipelines, bindGroups] = [this.#pipelines, this.#bindGroups];
    const encodeOne = (pass: GPUComputePassEncoder, i: number) => {
      const { x, y } = dispatches[i];
      pass.setPipeline(pipelines[i].pipeline as GPUComputePipeline);
      pass.setBindGroup(0, bindGroups[i]);
      pass.dispatchWorkgroups(x, y);
    };
    this.#run ??= {
      plan: this,
      label: this.#label,
      dispatches,
      reads: sources.filter((_, i) => this.#isRead[i]),
      writes: [...sources.filter((_, i) => this.#isWritten[i]), ...outputs],
      encodeOne,
      encode: (pass) => {
        for (let i = 0; i < dispatches.length; i++) encodeOne(pass, i);
      },
    };
    return this.#run;
  }

  #acquireSlots(): readonly BufferStorage[] {
    return this.host.pool.acquireAll(this.#memory.sizes, "plans");
  }

  #holdNumbers(): void {
    const words = this.#words;
    this.#numbers ??= words.length > 0 ? [this.host.pool.hold(words, "plans")] : [];
  }

  /** Frees the numbers, and all that is bound. */
  #dropNumbers(): void {
    for (const storage of this.#numbers ?? []) this.host.pool.drop(storage);
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
    return getOrInsert(known, key, () => {
      const { device, counters, guard, pipelines } = this.host;
      if (known.size >= BIND_GROUP_LIMIT) known.clear();
      counters.add("bindGroups");
      const resources: GPUBufferBinding[] = bound.map(({ buffer }) => ({ buffer }));
      if (kernel.numbers.length > 0) {
        const [{ buffer }] = this.#numbers as readonly BufferStorage[];
        const size = 16 * Math.ceil(kernel.numbers.length / 4);
        resources.push({ buffer, offset: GRANULE * numbers, size });
      }
      return guard.make(() =>
        device.createBindGroup({
          label: kernel.label,
          layout: pipelines.layout(kernel),
          entries: resources.map((resource, binding) => ({ binding, resource })),
        }),
      );
    });
  }

  #releaseSlots(): void {
    for (const storage of this.#slots ?? []) this.host.pool.release(storage);
    this.#slots = null;
  }
}

/** Lays the numbers of kernels one behind the other, equal ones once, and tells where they begin. */
function layNumbers(kernels: readonly SettledKernel[]): { words: Uint32Array; granules: number[] } {
  const words: number[] = [];
  const known = new Map<string, number>();
  const granules = kernels.map(({ numbers }) =>
    getOrInsert(known, numbers.join(), () => {
      const first = (4 * words.length) / GRANULE;
      words.push(...numbers);
      while ((4 * words.length) % GRANULE !== 0) words.push(0);
      return first;
    }),
  );
  return { words: Uint32Array.from(words), granules };
}

/** Bytes of a step's values in memory. */
export function stepBytes({ steps }: Program, step: number): number {
  const { dtype, shape } = steps[step];
  return bytesOf(dtype, sizeOf(shape));
}

/** When the values between kernels are in memory. */
export function lifetimes({ program }: KernelSchedule, kernels: readonly KernelCode[]): Lifetime[] {
  const { sources, outputs } = program;
  const own = new Set([...sources, ...outputs]);
  const found = new Map<number, { -readonly [K in keyof Lifetime]: Lifetime[K] }>();
  kernels.forEach(({ bindings }, at) => {
    for (const { key } of bindings) {
      if (own.has(key)) continue;
      const make = () => ({ key, bytes: stepBytes(program, key), first: at, last: at });
      getOrInsert(found, key, make).last = at;
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
