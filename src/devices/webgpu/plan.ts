import type { Counters } from "../../core/counters.ts";
import { type GradusError, MemoryError } from "../../core/errors.ts";
import { getOrInsert } from "../../core/get-or-insert.ts";
import { OnDemand } from "../../core/on-demand.ts";
import { tools } from "../../core/tools.ts";
import type { Plan, PlanOptions, PlanStats, Progress } from "../../engine/plan.ts";
import { type Program, readsOf } from "../../engine/program.ts";
import { GRID_ROW } from "./assemble.ts";
import { type BufferPool, type BufferStorage, checkFits, GRANULE } from "./buffers.ts";
import { firstOf, type Guard } from "./guard.ts";
import type { Log, LogEntry } from "./log.ts";
import type { SettledKernel } from "./numbers.ts";
import type { PipelineCache, Shared } from "./pipelines.ts";
import type { SharedSources } from "./shared-sources.ts";
import type { Dispatches, Pass, SubmitQueue } from "./submit-queue.ts";
import { takeAll } from "./take-all.ts";
import { bytesIn, stepBytes } from "./transfer.ts";
import {
  type DispatchTurns,
  type EncodeOne,
  type Hardware,
  isSmall,
  type WriteProgram,
  type WrittenProgram,
  writeApart,
} from "./write.ts";

/**
 * What lets many states share buffers: loaded for the first plan that has many. Without it each has
 * a buffer of its own.
 * @internal
 */
export const sharing = /* @__PURE__ */ new OnDemand(() => import("./sharing.ts"));

/** What a plan needs of its session. */
export interface PlanHost extends Hardware {
  readonly device: GPUDevice;
  readonly guard: Guard;
  readonly log: Log;
  readonly queue: SubmitQueue;
  readonly timeout: number;
  readonly pool: BufferPool;
  readonly pipelines: PipelineCache;
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

/** In place of offsets that are undefined, which Chromium's optimized call refuses. */
const NO_OFFSETS: number[] = [];

/** A plan with the buffers of a run; one after the other may run the same. */
interface PlanRun extends Dispatches {
  readonly dispatches: readonly Dispatch[];
  readonly encodeOne: EncodeOne;
  /** Gives all dispatches in order to what encodes each. */
  encodeAll(pass: Pass, encodeOne: EncodeOne): void;
}

/**
 * A program as dispatches in order. Running it again on the same storages is a flat loop over
 * pipelines, bind groups and grids: nothing is made and nothing is decided.
 */
export class GpuPlan implements Plan {
  #label = "gradus plan";
  #writer: WriteProgram | null = null;
  #dispatches: readonly Dispatch[] | null = null;
  /** What is bound now: sources, then outputs, then the buffers of values in between. */
  #buffers: readonly BufferStorage[] = [];
  /** Which sources' values are used, and which are replaced. */
  readonly #isRead: readonly boolean[];
  readonly #isWritten: readonly boolean[];
  /** Bytes of each output. */
  readonly outputBytes: readonly number[];
  /** Bytes of the buffers of values in between. */
  #sizes: readonly number[] = [];
  /** What dispatches its kernels, where that is not each once. */
  turns: DispatchTurns | undefined;
  /** What its kernels read as uniform data, and the buffer with it, if there is any. */
  #words = new Uint32Array();
  #numbers: readonly BufferStorage[] | null = null;
  #slots: readonly BufferStorage[] | null = null;
  #shared: SharedSources | null = null;
  /** How often storages had moved when bind groups were made. */
  #moves = 0;
  #pipelines: readonly Shared[] | null = null;
  #bindGroups: readonly GPUBindGroup[] | null = null;
  /** The last run, which the next one is again if it is on the same storages. */
  #run: PlanRun | null = null;

  constructor(
    readonly host: PlanHost,
    readonly program: Program,
    readonly options: PlanOptions,
  ) {
    const { sources, outputs, updates } = program;
    this.#isRead = readsOf(program);
    const written = new Set(updates.map(({ source }) => source));
    this.#isWritten = sources.map((step) => written.has(step));
    this.outputBytes = outputs.map((step) => stepBytes(program, step));
    if (sharing.loaded || !this.#isShared) this.#written();
  }

  /** Whether it changes, or has, more tensors than a kernel may bind, or several could read; or is small. */
  get #isShared(): boolean {
    const { host, program, options } = this;
    const bindings = host.device.limits.maxStorageBuffersPerShaderStage;
    const { length = 0 } = options.fixed ?? [];
    const isLarge = program.updates.length > bindings || length > 4 * bindings;
    return isLarge || isSmall(program, host.traits, options);
  }

  #write(): WrittenProgram {
    for (const { op } of this.program.steps) this.#writer ??= op?.writer as WriteProgram;
    this.#writer ??= (this.#isShared && sharing.loaded?.writeShared) || writeApart;
    return this.#writer(this.program, this.host, this.options);
  }

  /** Loads what it is written by, where that is not settled. */
  async #load(): Promise<void> {
    if (!this.#writer) await sharing.get().catch(() => {});
  }

  /** The dispatches, which are written when they are first needed. */
  #written(): readonly Dispatch[] {
    if (this.#dispatches) return this.#dispatches;
    const { host } = this;
    const { codes, sizes, places, shared = null, turns } = this.#write();
    for (const bytes of [...this.outputBytes, ...sizes]) {
      checkFits("a value of", bytes, host.device.limits);
    }
    const kernels = host.pipelines.settle(codes);
    const { words, granules } = layNumbers(kernels);
    this.#sizes = sizes;
    this.#shared = shared;
    shared?.find(words);
    this.turns = turns;
    turns?.find(words);
    this.#words = Uint32Array.from(words);
    this.#label = `gradus plan: ${kernels.map(({ label }) => label).join(", ")}`;
    this.#dispatches = kernels.map((kernel, i) => ({
      kernel,
      buffers: kernel.bindings.map(({ key }) => places.get(key) as number),
      numbers: granules[i],
      x: Math.min(kernel.workgroups, GRID_ROW),
      y: Math.ceil(kernel.workgroups / GRID_ROW),
      known: new Map(),
    }));
    return this.#dispatches;
  }

  get ready(): boolean {
    return !!(this.#pipelines && this.#numbers && this.#slots);
  }

  async stats(): Promise<PlanStats> {
    await this.#load();
    return (await tools.get()).statsOf(this.#write());
  }

  async prepare(onProgress: Progress = () => {}): Promise<void> {
    const { op } = this.host.guard;
    await this.#load();
    if (!this.#pipelines) await this.#build(onProgress);
    await this.#reserve(op);
  }

  run(sources: readonly BufferStorage[]): BufferStorage[] {
    const { host, options } = this;
    const outputs = host.pool.acquireAll(this.outputBytes);
    try {
      const run = this.bound(sources, outputs);
      const { length } = this.turns ?? run.dispatches;
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
    this.#shared?.dispose(this.host.pool);
    this.#dropNumbers();
    this.#buffers = [];
    for (const shared of this.#pipelines ?? []) this.host.pipelines.release(shared);
    this.#pipelines = null;
  }

  async #build(onProgress: Progress): Promise<void> {
    const { pipelines } = this.host;
    const dispatches = this.#written();
    const { length: total } = dispatches;
    let built = 0;
    onProgress(0, total);
    const builds = await Promise.allSettled(
      dispatches.map(async ({ kernel }) => {
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
      const outputs: BufferStorage[] = [];
      const slots: BufferStorage[] = [];
      let thrown: unknown = null;
      try {
        this.#holdNumbers();
        outputs.push(...pool.acquireAll(this.outputBytes));
        if (!this.#slots) slots.push(...this.#acquireSlots());
        this.#shared?.reserve(pool);
      } catch (error) {
        thrown = error;
      }
      const checks = guard.take();
      const failure = (thrown as GradusError | null) ?? (await firstOf(checks));
      for (const storage of outputs) pool.release(storage);
      if (failure || this.#slots) for (const storage of slots) pool.release(storage);
      else this.#slots = slots;
      if (failure) {
        this.#shared?.dispose(pool);
        this.#dropNumbers();
      }
      if (!failure) return;
      // What was spare has been freed.
      if (isLast || !(failure instanceof MemoryError)) throw failure;
    }
  }

  /** Makes what is missing, and binds the buffers of one run. */
  bound(sources: readonly BufferStorage[], outputs: readonly BufferStorage[]): PlanRun {
    const dispatches = this.#written();
    const { host } = this;
    const { pool } = host;
    this.#slots ??= this.#acquireSlots();
    this.#holdNumbers();
    const before = this.#buffers;
    const numbers = this.#numbers as readonly BufferStorage[];
    const { turns } = this;
    this.#buffers = [...sources, ...outputs, ...this.#slots, ...(turns?.bound(numbers) ?? [])];
    const isOther = this.#buffers.some((storage, i) => storage !== before[i]);
    if (isOther || this.#moves !== pool.moves) this.#bindGroups = this.#run = null;
    this.#pipelines ??= this.#getPipelines();
    if (!this.#bindGroups) {
      const shared = this.#shared;
      sharing.loaded?.arrange(host, sources, this.#isWritten, shared, numbers[0], this.#words);
      this.#moves = pool.moves;
    }
    this.#bindGroups ??= dispatches.map((dispatch) => this.#bindGroup(dispatch));
    const [pipelines, bindGroups] = [this.#pipelines, this.#bindGroups];
    const encodeOne: EncodeOne = (pass, i, offsets = NO_OFFSETS) => {
      const { x, y } = dispatches[i];
      const { encoder } = pass;
      const pipeline = pipelines[i].pipeline as GPUComputePipeline;
      if (pass.pipeline !== pipeline) encoder.setPipeline(pipeline);
      pass.pipeline = pipeline;
      encoder.setBindGroup(0, bindGroups[i], offsets);
      encoder.dispatchWorkgroups(x, y);
    };
    const encodeAll: PlanRun["encodeAll"] = (pass, each) => {
      if (turns) turns.encode(pass, each);
      else for (let i = 0; i < dispatches.length; i++) each(pass, i);
    };
    this.#run ??= {
      plan: this,
      label: this.#label,
      dispatches,
      reads: sources.filter((_, i) => this.#isRead[i]).concat(numbers),
      writes: [...sources.filter((_, i) => this.#isWritten[i]), ...outputs],
      encodeOne,
      encodeAll,
      encode: (pass) => encodeAll(pass, encodeOne),
    };
    return this.#run;
  }

  #acquireSlots(): readonly BufferStorage[] {
    return this.host.pool.acquireAll(this.#sizes, "plans");
  }

  #holdNumbers(): void {
    if (this.#numbers?.[0]?.failure) this.#dropNumbers();
    const words = bytesIn(this.#words);
    this.#numbers ??= words.length > 0 ? [this.host.pool.hold(words, "plans")] : [];
  }

  /** Frees the numbers, and all that is bound. */
  #dropNumbers(): void {
    for (const storage of this.#numbers ?? []) this.host.pool.drop(storage);
    this.#numbers = null;
    this.#bindGroups = null;
    this.#run = null;
    for (const { known } of this.#dispatches ?? []) known.clear();
  }

  #getPipelines(): readonly Shared[] {
    const { pipelines } = this.host;
    return takeAll(
      this.#written(),
      ({ kernel }) => pipelines.get(kernel),
      (shared) => pipelines.release(shared),
    );
  }

  #bindGroup({ kernel, buffers, numbers, known }: Dispatch): GPUBindGroup {
    const bound = buffers.map((place) => this.#buffers[place]);
    const key = bound.map(({ place }) => place).join();
    return getOrInsert(known, key, () => {
      const { device, counters, guard, pipelines } = this.host;
      if (known.size >= BIND_GROUP_LIMIT) known.clear();
      counters.add("bindGroups");
      const resources = bound.map(({ buffer, block, offset, bytes }, i): GPUBufferBinding => {
        const isWhole = kernel.bindings[i].key < 0 || bytes === block.bytes;
        return isWhole ? { buffer } : { buffer, offset, size: bytes };
      });
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
function layNumbers(kernels: readonly SettledKernel[]): { words: number[]; granules: number[] } {
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
  return { words, granules };
}
