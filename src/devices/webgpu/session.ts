import { allocate, type DType, type NumericArray } from "../../core/dtype.ts";
import { DeviceError, GradusError, KernelError } from "../../core/errors.ts";
import { tools } from "../../core/on-demand.ts";
import type { Counters } from "../../engine/counters.ts";
import type { Download } from "../../engine/device.ts";
import type { PlanOptions } from "../../engine/plan.ts";
import type { Profile } from "../../engine/profile.ts";
import type { Program } from "../../engine/program.ts";
import type { DeviceLoss, Storage } from "../../graph/backend.ts";
import type { KernelProfile } from "../../graph/op.ts";
import type { AdapterDescription } from "./adapter.ts";
import { BufferPool, type BufferStorage, checkFits } from "./buffers.ts";
import type { GpuOptions } from "./options.ts";
import { PipelineCache } from "./pipelines.ts";
import { GpuPlan, type PlanHost } from "./plan.ts";
import type { NamedKernel } from "./profiler.ts";
import { Readback } from "./readback.ts";
import { SubmitQueue } from "./submit-queue.ts";
import { toGpu } from "./transfer.ts";

/**
 * Everything that belongs to one GPUDevice: buffers, pipelines, plans, the queue and what is known of
 * its errors. It has one owner, which may replace it by another when the GPUDevice is lost.
 */
export class GpuSession implements PlanHost {
  readonly pool: BufferPool;
  readonly pipelines: PipelineCache;
  readonly profile: KernelProfile;
  /** Settles when the GPUDevice is lost or disposed. */
  readonly lost: Promise<DeviceLoss>;
  readonly #staging: BufferPool;
  readonly #queue: SubmitQueue;
  readonly #checks = new Set<Promise<unknown>>();
  #isTogether = false;
  #failure: GradusError | null = null;
  #lost: string | null = null;

  constructor(
    readonly device: GPUDevice,
    readonly adapter: AdapterDescription,
    options: GpuOptions,
    readonly counters: Counters,
  ) {
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const usage = STORAGE | COPY_SRC | COPY_DST;
    const flush = () => this.#queue.flush();
    this.pool = new BufferPool(device, usage, "tensor", counters, flush);
    this.#staging = new BufferPool(device, MAP_READ | COPY_DST, "staging", counters);
    this.pipelines = new PipelineCache(device, counters, (check) => this.#watch(check));
    this.#queue = new SubmitQueue(device, counters, (fn) => this.#guarded(fn));
    const direct = options.kernels ? options.kernels === "direct" : adapter.direct;
    const { software } = adapter;
    this.profile = {
      workgroupMemory: !direct,
      threads: software ? 16 : 64,
      quads: software && device.features.has("subgroups"),
    };
    this.lost = device.lost.then(({ reason, message }) => {
      this.#lost ??= `${message || reason}`;
      return { reason, message };
    });
  }

  check(op: string): void {
    if (this.#lost !== null) {
      throw new DeviceError(
        `${op}: the webgpu device was lost (${this.#lost}); expected a live device. ` +
          "Call init() again and restore the weights",
      );
    }
  }

  surface(): void {
    const failure = this.#failure;
    this.#failure = null;
    if (failure) throw failure;
  }

  dispose(): void {
    this.#lost ??= "disposed";
    this.pool.clear();
    this.#staging.clear();
    this.device.destroy();
  }

  record(
    label: string,
    encode: (pass: GPUComputePassEncoder) => void,
    { repeated, stepsPerSubmit }: PlanOptions,
  ): void {
    this.#queue.record(label, encode);
    if (repeated) this.#queue.share(stepsPerSubmit);
    else if (!this.#isTogether) this.#queue.flush();
  }

  together<T>(fn: () => T): T {
    this.#isTogether = true;
    try {
      return fn();
    } finally {
      this.#isTogether = false;
    }
  }

  async timeKernels(kernels: readonly NamedKernel[]): Promise<Profile> {
    const { profileKernels } = await tools.get();
    this.#queue.flush();
    return this.#guarded(() => profileKernels(this.device, kernels));
  }

  room(): Promise<void> | undefined {
    return this.#queue.room();
  }

  compile(program: Program, options: PlanOptions): GpuPlan {
    return this.#guarded(() => new GpuPlan(this, program, options));
  }

  upload(values: NumericArray, dtype: DType): Storage {
    const data = toGpu(values, dtype);
    checkFits("tensor:", data.byteLength, this.device.limits);
    const storage = this.#guarded(() => this.pool.acquire(data.byteLength));
    this.#writeBuffer(storage, data);
    return storage;
  }

  overwrite(storage: Storage, values: NumericArray, dtype: DType): void {
    this.#writeBuffer(storage as BufferStorage, toGpu(values, dtype));
  }

  #writeBuffer(storage: BufferStorage, data: NumericArray): void {
    this.#queue.flush(); // what was encoded before may still read what the buffer held
    const { buffer, byteOffset, byteLength } = data;
    if (byteLength === 0) return;
    this.#guarded(() =>
      this.device.queue.writeBuffer(storage.buffer, 0, buffer, byteOffset, byteLength),
    );
  }

  /** Copies values to the host as they are behind all work recorded so far, in one submit. */
  async download(wanted: readonly Download[]): Promise<NumericArray[]> {
    const groups = Readback.group(wanted, this.device.limits.maxBufferSize);
    const staged = groups.map((group) => ({ group, staging: this.#staging.acquire(group.bytes) }));
    if (staged.length > 0) {
      this.#queue.copy("gradus read", (encoder) => {
        for (const { group, staging } of staged) group.encode(encoder, staging.buffer);
      });
    }
    const mapped = await Promise.all(staged.map((one) => this.#map(one.group, one.staging)));
    const values = mapped.flat().values();
    return wanted.map(({ dtype, size }) => {
      return size > 0 ? (values.next().value as NumericArray) : allocate(dtype, 0);
    });
  }

  /** Waits for a staging buffer's values, and gives it back. */
  async #map(group: Readback, staging: BufferStorage): Promise<NumericArray[]> {
    try {
      await staging.buffer.mapAsync(GPUMapMode.READ, 0, group.bytes);
    } catch (error) {
      this.#staging.drop(staging); // what could not be mapped once may be no good
      await this.#settle();
      throw new DeviceError(`read: mapping failed (${(error as Error).message}); expected a value`);
    }
    const values = group.values(staging.buffer);
    staging.buffer.unmap();
    this.#staging.release(staging);
    await this.#settle();
    return values;
  }

  usage() {
    return {
      buffers: this.pool.buffers + this.#staging.buffers,
      bytes: this.pool.bytes + this.#staging.bytes,
      pipelines: this.pipelines.size,
    };
  }

  /** Waits until every error of earlier calls is known, and throws the first. */
  async #settle(): Promise<void> {
    if (this.#checks.size > 0) await Promise.all(this.#checks);
    this.check("read");
    this.surface();
  }

  /** Runs synchronous calls under error scopes; what they find reaches the next call. */
  #guarded<T>(fn: () => T): T {
    this.device.pushErrorScope("out-of-memory");
    this.device.pushErrorScope("validation");
    try {
      return fn();
    } finally {
      for (let i = 0; i < 2; i++) this.#watch(this.device.popErrorScope().then(rejectError));
    }
  }

  #watch(check: Promise<unknown>): void {
    const watched: Promise<unknown> = check
      .catch((error: unknown) => {
        const failure = error instanceof GradusError ? error : new KernelError(String(error));
        // A compiler's message says more than the validation error that follows from it.
        if (!this.#failure || failure instanceof KernelError) this.#failure = failure;
      })
      .finally(() => this.#checks.delete(watched));
    this.#checks.add(watched);
  }
}

function rejectError(error: GPUError | null): void {
  if (error) throw new DeviceError(`webgpu: ${error.message}; expected a valid command`);
}
