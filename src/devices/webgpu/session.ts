import { DISPOSE, INIT_AGAIN } from "../../core/advice.ts";
import type { Counters } from "../../core/counters.ts";
import { DTYPE_NAMES, type DType, is, type NumericArray } from "../../core/dtype.ts";
import { DeviceError, MemoryError } from "../../core/errors.ts";
import type { Plan, PlanOptions } from "../../engine/plan.ts";
import type { Program } from "../../engine/program.ts";
import type { Download, Session, Usage } from "../../engine/session.ts";
import type { Traits } from "../../forms/traits.ts";
import type { DeviceLoss, Life, Storage } from "../../graph/device.ts";
import { byRule, traitsOf } from "../../kernels/choose.ts";
import { type AdapterDescription, TIMEOUT } from "./adapter.ts";
import { BufferPool, type BufferStorage, checkFits } from "./buffers.ts";
import { Guard, type GuardHost } from "./guard.ts";
import type { ChooseInProgram } from "./jobs.ts";
import { Log, type LogEntry } from "./log.ts";
import { SubmitMarks } from "./marks.ts";
import type { GpuOptions } from "./options.ts";
import { PipelineCache } from "./pipelines.ts";
import { GpuPlan, type PlanHost } from "./plan.ts";
import { Reader } from "./readback.ts";
import { type Dispatches, MOST_STAGED, SubmitQueue } from "./submit-queue.ts";
import { toGpu } from "./transfer.ts";

const ALL: ReadonlySet<DType> = new Set(DTYPE_NAMES.filter((dtype) => is(dtype, "gpu")));

/**
 * Everything that belongs to one GPUDevice: buffers, pipelines, plans, the queue and what is known of
 * its errors. It has one owner, which may replace it by another when the GPUDevice is lost.
 */
export class GpuSession implements Session, PlanHost, GuardHost {
  readonly kind = "webgpu";
  readonly dtypes = ALL;
  readonly pool: BufferPool;
  readonly pipelines: PipelineCache;
  readonly traits: Traits;
  /** Decides which kernels run: by rules, unless somebody knows better. */
  choose: ChooseInProgram;
  onLost: (loss: DeviceLoss) => void = () => {};
  /** Settles when the GPUDevice is lost or disposed. */
  readonly lost: Promise<DeviceLoss>;
  readonly timeout: number;
  readonly guard = new Guard(this);
  readonly log = new Log();
  readonly marks = new SubmitMarks(this.guard);
  readonly queue: SubmitQueue;
  readonly #reader: Reader;
  #isTogether = false;
  #lost: string | null = null;

  constructor(
    readonly device: GPUDevice,
    readonly adapter: AdapterDescription,
    { kernels, timeout = TIMEOUT }: GpuOptions & { readonly timeout?: number },
    readonly counters: Counters,
  ) {
    const { STORAGE, UNIFORM, COPY_SRC, COPY_DST } = GPUBufferUsage;
    const usage = STORAGE | UNIFORM | COPY_SRC | COPY_DST;
    this.timeout = timeout;
    this.pool = new BufferPool(this.guard, usage, "tensor", counters, () => this.queue.flush());
    this.pipelines = new PipelineCache(this.guard, counters);
    this.queue = new SubmitQueue(this, () => this.#verify());
    this.#reader = new Reader(this);
    this.traits = traitsOf(adapter, device, kernels);
    this.choose = byRule(this.traits);
    this.lost = device.lost.then(({ reason, message }) => {
      this.#lost ??= `${message || reason}`;
      this.onLost({ reason, message });
      return { reason, message };
    });
  }

  get life(): Life {
    return this.pool.life;
  }

  get description(): string {
    return this.adapter.name;
  }

  /** Makes what tells whether commands ran; throws, and is of no use, where that fails. */
  async prepare(): Promise<void> {
    try {
      this.begin("init");
      const failure = await this.marks.prepare();
      if (failure) throw failure;
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Begins what the user called as `op`; throws a `DeviceError` when the device is gone. */
  begin(op: string): void {
    this.check(op);
    this.guard.begin(op);
  }

  check(op: string): void {
    const loss = this.lossOf(op);
    if (loss) throw loss;
  }

  lossOf(op: string): DeviceError | null {
    if (this.#lost === null) return null;
    return new DeviceError(
      `${op}: the webgpu device was lost (${this.#lost}); expected a live device${INIT_AGAIN}`,
    );
  }

  outOfMemory(op: string, wanted: number): MemoryError {
    const { limits } = this.device;
    const held = { ...this.pool.held };
    held.spare += this.#reader.staging.bytes;
    this.trim();
    const { maxBufferSize, maxStorageBufferBindingSize } = limits;
    return new MemoryError(
      `${op}: no memory for ${wanted} bytes; expected room beside ${held.tensors} bytes of tensors, ` +
        `${held.plans} of plans and ${held.spare} spare, which are freed now${DISPOSE}`,
      wanted,
      held,
      { maxBufferSize, maxStorageBufferBindingSize },
    );
  }

  dispose(): void {
    this.#lost ??= "disposed";
    this.trim();
    this.marks.dispose();
    this.device.destroy();
  }

  record(work: Dispatches, { repeated, stepsPerSubmit }: PlanOptions): LogEntry {
    const { queue, guard } = this;
    const isNew = guard.isPending;
    const isAlone = !repeated && !this.#isTogether;
    const isFed = queue.isFor(work);
    // What may fail, or belongs to other work, shares no submit with steps.
    if (isNew || isFed === false || (isAlone && !isFed)) queue.flush();
    const entry = queue.record(work);
    if (repeated) queue.share(stepsPerSubmit);
    if (isAlone || (repeated && (isNew || isFed))) queue.flush();
    return entry;
  }

  together<T>(fn: () => T): T {
    this.#isTogether = true;
    try {
      return fn();
    } finally {
      this.#isTogether = false;
    }
  }

  room(): Promise<void> | undefined {
    return this.queue.room();
  }

  compile(program: Program, options: PlanOptions, host: PlanHost = this): Plan {
    return new GpuPlan(host, program, options);
  }

  upload(values: NumericArray, dtype: DType): Storage {
    const { pool, queue } = this;
    const data = toGpu(values, dtype);
    const { length } = data;
    checkFits("tensor:", length, this.device.limits);
    const isMade = length <= MOST_STAGED && !pool.hasSpare(length);
    const storage = isMade ? pool.hold(data) : pool.acquire(length);
    if (isMade) queue.note(storage);
    else queue.upload(storage, data);
    return storage;
  }

  overwrite(storage: Storage, values: NumericArray, dtype: DType): void {
    this.queue.upload(storage as BufferStorage, toGpu(values, dtype));
  }

  /** Copies values to the host as they are behind all work recorded so far, in one submit. */
  download(wanted: readonly Download[]): Promise<NumericArray[]> {
    return this.#reader.read(wanted);
  }

  release(storage: Storage): void {
    this.pool.release(storage);
  }

  /** Looks which submits ran, in the middle of what is being recorded. */
  #verify(): void {
    const made = this.guard.take();
    this.#reader.verify();
    for (const check of made) this.guard.add(check);
  }

  trim(): void {
    for (const pool of [this.pool, this.#reader.staging]) pool.clear();
  }

  usage(): Usage {
    const { staging } = this.#reader;
    return {
      buffers: this.pool.buffers + staging.buffers,
      bytes: this.pool.bytes + staging.bytes,
      pipelines: this.pipelines.size,
    };
  }
}
