import { sizeOf } from "../../core/shape.ts";
import type { Counters } from "../../engine/counters.ts";
import { type Lifetime, type MemoryPlan, planMemory } from "../../engine/memory-plan.ts";
import type { Plan, PlanOptions, PlanStats, Progress } from "../../engine/plan.ts";
import type { Profile } from "../../engine/profile.ts";
import type { Program } from "../../engine/program.ts";
import { type Schedule, schedule } from "../../engine/schedule.ts";
import type { KernelProfile } from "../../graph/op.ts";
import { type BufferPool, type BufferStorage, checkFits } from "./buffers.ts";
import { generate, type KernelCode } from "./codegen.ts";
import { type Job, jobsOf } from "./jobs.ts";
import { pack } from "./pack.ts";
import type { PipelineCache } from "./pipelines.ts";
import type { NamedKernel } from "./profiler.ts";
import { statsOf, stepBytes } from "./stats.ts";
import { bytesOf } from "./transfer.ts";

/** What a plan needs of its device. */
export interface PlanHost {
  readonly device: GPUDevice;
  readonly pool: BufferPool;
  readonly pipelines: PipelineCache;
  readonly profile: KernelProfile;
  readonly counters: Counters;
  /** Encodes commands into the present submit, and ends it unless more are to share it. */
  record(label: string, encode: (pass: GPUComputePassEncoder) => void, options: PlanOptions): void;
  /** Runs kernels behind what was recorded and takes their times. */
  timeKernels(kernels: readonly NamedKernel[]): Promise<Profile>;
}

/** One dispatch: a kernel and the places of its buffers in the plan's list. */
interface Dispatch {
  readonly kernel: KernelCode;
  readonly buffers: readonly number[];
  /** The folded grid. */
  readonly x: number;
  readonly y: number;
  /** Bind groups by the buffers that they bind. */
  readonly known: Map<string, GPUBindGroup>;
}

/** Bind groups kept per dispatch; the pool gives the same buffers again and again. */
const BIND_GROUP_LIMIT = 16;

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
  readonly #sources: number;
  readonly #outputBytes: readonly number[];
  readonly #memory: MemoryPlan;
  #holdsSlots = false;
  #pipelines: readonly GPUComputePipeline[] | null = null;
  readonly #bindGroups: GPUBindGroup[] = [];

  constructor(
    readonly host: PlanHost,
    program: Program,
    readonly options: PlanOptions,
  ) {
    const { limits } = host.device;
    const bindings = limits.maxStorageBuffersPerShaderStage;
    const plan = schedule(program, bindings);
    const jobs = pack(jobsOf(plan, host.profile), {
      bindings,
      memory: limits.maxComputeWorkgroupStorageSize,
    });
    const kernels = jobs.map((parts) => generate(plan, parts));
    this.#sources = program.sources.length;
    this.#outputBytes = program.outputs.map((step) => stepBytes(program, step));
    this.#memory = planMemory(lifetimes(plan, jobs, kernels));
    for (const bytes of [...this.#outputBytes, ...this.#memory.sizes]) {
      checkFits("a value of", bytes, limits);
    }
    const places = placesOf(plan, this.#memory);
    this.#dispatches = kernels.map((kernel) => ({
      kernel,
      buffers: kernel.bindings.map(({ key }) => places.get(key) as number),
      ...grid(kernel.workgroups),
      known: new Map(),
    }));
    this.#label = `gradus plan: ${kernels.map(({ label }) => label).join(", ")}`;
    this.stats = statsOf(plan, jobs, kernels, this.#memory);
  }

  async prepare(onProgress: Progress = () => {}): Promise<void> {
    if (this.#pipelines) return;
    const { length: total } = this.#dispatches;
    let built = 0;
    onProgress(0, total);
    const kernels = this.#dispatches.map(({ kernel }) => kernel);
    const builds = await Promise.allSettled(
      kernels.map(async (kernel) => {
        const pipeline = await this.host.pipelines.build(kernel);
        onProgress(++built, total);
        return pipeline;
      }),
    );
    const done = kernels.filter((_, i) => builds[i].status === "fulfilled");
    if (done.length < total || this.#pipelines) this.#release(done); // a run may have made them
    const failed = builds.find(({ status }) => status === "rejected");
    if (failed) throw (failed as PromiseRejectedResult).reason;
    this.#pipelines ??= builds.map((build) => (build as { value: GPUComputePipeline }).value);
  }

  run(sources: readonly BufferStorage[]): BufferStorage[] {
    this.#ready(sources);
    if (this.#dispatches.length > 0) {
      this.host.record(this.#label, this.#encode, this.options);
      this.host.counters.add("dispatches", this.#dispatches.length);
    }
    if (!this.options.repeated) this.#releaseSlots();
    return this.#outputs();
  }

  async profile(sources: readonly BufferStorage[]) {
    this.#ready(sources);
    const outputs = this.#outputs();
    const kernels = this.#dispatches.map(({ kernel: { label: name } }, i) => {
      return { name, encode: (pass: GPUComputePassEncoder) => this.#encodeOne(pass, i) };
    });
    return { outputs, profile: await this.host.timeKernels(kernels) };
  }

  /** Makes what is missing, and binds the buffers of one run. */
  #ready(sources: readonly BufferStorage[]): void {
    this.#pipelines ??= this.#dispatches.map(({ kernel }) => this.host.pipelines.get(kernel));
    if (this.#place(sources)) this.#bind();
  }

  #outputs(): BufferStorage[] {
    return this.#buffers.slice(this.#sources, this.#sources + this.#outputBytes.length);
  }

  dispose(): void {
    this.#releaseSlots();
    this.#buffers.length = 0;
    this.#bindGroups.length = 0;
    for (const { known } of this.#dispatches) known.clear();
    if (this.#pipelines) this.#release(this.#dispatches.map(({ kernel }) => kernel));
    this.#pipelines = null;
  }

  #release(kernels: readonly KernelCode[]): void {
    for (const kernel of kernels) this.host.pipelines.release(kernel);
  }

  /** Fills in the buffers of one run; says whether any is another one than last time. */
  #place(sources: readonly BufferStorage[]): boolean {
    const { pool } = this.host;
    const buffers = this.#buffers;
    let isChanged = this.#bindGroups.length < this.#dispatches.length;
    const put = (i: number, storage: BufferStorage) => {
      if (buffers[i] === storage) return;
      buffers[i] = storage;
      isChanged = true;
    };
    for (let i = 0; i < sources.length; i++) put(i, sources[i]);
    const outputs = this.#outputBytes;
    for (let i = 0; i < outputs.length; i++) put(this.#sources + i, pool.acquire(outputs[i]));
    if (!this.#holdsSlots) {
      const from = this.#sources + outputs.length;
      for (const [i, bytes] of this.#memory.sizes.entries()) put(from + i, pool.acquire(bytes));
      this.#holdsSlots = true;
    }
    return isChanged;
  }

  #bind(): void {
    this.#dispatches.forEach((dispatch, i) => {
      const bound = dispatch.buffers.map((place) => this.#buffers[place]);
      const key = bound.map(({ id }) => id).join();
      let group = dispatch.known.get(key);
      if (!group) {
        if (dispatch.known.size >= BIND_GROUP_LIMIT) dispatch.known.clear();
        group = this.#createBindGroup(dispatch.kernel, bound);
        dispatch.known.set(key, group);
      }
      this.#bindGroups[i] = group;
    });
  }

  #createBindGroup(kernel: KernelCode, bound: readonly BufferStorage[]): GPUBindGroup {
    this.host.counters.add("bindGroups");
    return this.host.device.createBindGroup({
      label: kernel.label,
      layout: this.host.pipelines.layout(kernel.bindings),
      entries: bound.map(({ buffer }, binding) => ({ binding, resource: { buffer } })),
    });
  }

  readonly #encode = (pass: GPUComputePassEncoder): void => {
    for (let i = 0; i < this.#dispatches.length; i++) this.#encodeOne(pass, i);
  };

  #encodeOne(pass: GPUComputePassEncoder, i: number): void {
    const { x, y } = this.#dispatches[i];
    pass.setPipeline((this.#pipelines as readonly GPUComputePipeline[])[i]);
    pass.setBindGroup(0, this.#bindGroups[i]);
    pass.dispatchWorkgroups(x, y);
  }

  #releaseSlots(): void {
    if (!this.#holdsSlots) return;
    this.#holdsSlots = false;
    const from = this.#sources + this.#outputBytes.length;
    for (const storage of this.#buffers.slice(from)) this.host.pool.release(storage);
  }
}

/** When the values between kernels are in memory. */
function lifetimes(
  plan: Schedule,
  jobs: readonly (readonly Job[])[],
  kernels: readonly KernelCode[],
): Lifetime[] {
  const { sources, outputs } = plan.program;
  const own = new Set([...sources, ...outputs]);
  const scratch = new Map<number, number>();
  for (const { stage, scratchOut } of jobs.flat()) {
    const bytes = bytesOf(stage.type, sizeOf(stage.store.extents));
    if (scratchOut !== null) scratch.set(scratchOut, bytes);
  }
  const found = new Map<number, Lifetime>();
  kernels.forEach(({ bindings }, at) => {
    for (const { key } of bindings) {
      if (own.has(key)) continue;
      const first = found.get(key)?.first ?? at;
      const bytes = scratch.get(key) ?? stepBytes(plan.program, key);
      found.set(key, { key, bytes, first, last: at });
    }
  });
  return [...found.values()];
}

/** Where in a plan's list of buffers each key of its kernels is. */
function placesOf({ program }: Schedule, memory: MemoryPlan): Map<number, number> {
  const { sources, outputs } = program;
  const from = sources.length + outputs.length;
  return new Map([
    ...[...memory.slots].map(([key, slot]) => [key, from + slot] as const),
    ...sources.map((step, i) => [step, i] as const),
    ...outputs.map((step, i) => [step, sources.length + i] as const),
  ]);
}

/** Folds a linear grid that is longer than one dimension may be. */
function grid(workgroups: number): { x: number; y: number } {
  const x = Math.min(workgroups, 65535);
  return { x, y: x === 0 ? 0 : Math.ceil(workgroups / x) };
}
