import type { DType, NumericArray } from "../../core/dtype.ts";
import { DeviceError, GradusError, KernelError } from "../../core/errors.ts";
import { Device } from "../../engine/device.ts";
import type { Plan, PlanOptions } from "../../engine/plan.ts";
import type { Profile } from "../../engine/profile.ts";
import type { Program } from "../../engine/program.ts";
import type { Storage } from "../../graph/backend.ts";
import type { KernelProfile } from "../../graph/op.ts";
import { profilerModule } from "../on-demand.ts";
import { type AdapterDescription, ownLimits } from "./adapter.ts";
import { BufferPool, type BufferStorage, checkFits } from "./buffers.ts";
import type { GpuOptions } from "./options.ts";
import { PipelineCache } from "./pipelines.ts";
import { GpuPlan, type PlanHost } from "./plan.ts";
import type { NamedKernel } from "./profiler.ts";
import { SubmitQueue } from "./submit-queue.ts";
import { bytesOf, fromGpu, toGpu } from "./transfer.ts";
import { within } from "./within.ts";

/** What is used where it is there. */
const FEATURES = ["timestamp-query", "subgroups"] as const;

const DTYPES: ReadonlySet<DType> = new Set(["f32", "i32", "u32", "bool", "u8"]);

/** A WebGPU device: fused kernels, one encoder, one pass and one submit per evaluation. */
export class GpuDevice extends Device implements PlanHost {
  readonly kind = "webgpu";
  readonly dtypes = DTYPES;
  readonly pool: BufferPool;
  readonly pipelines: PipelineCache;
  readonly profile: KernelProfile;
  readonly #staging: BufferPool;
  readonly #queue: SubmitQueue;
  readonly #checks = new Set<Promise<unknown>>();
  #isTogether = false;
  #failure: GradusError | null = null;
  #lost: string | null = null;

  constructor(
    readonly device: GPUDevice,
    readonly adapter: AdapterDescription,
    options: GpuOptions = {},
  ) {
    super();
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const usage = STORAGE | COPY_SRC | COPY_DST;
    const flush = () => this.#queue.flush();
    this.pool = new BufferPool(device, usage, "tensor", this.counters, flush);
    this.#staging = new BufferPool(device, MAP_READ | COPY_DST, "staging", this.counters);
    this.pipelines = new PipelineCache(device, this.counters, (check) => this.#watch(check));
    this.#queue = new SubmitQueue(device, this.counters, (fn) => this.#guarded(fn));
    const direct = options.kernels ? options.kernels === "direct" : adapter.direct;
    const { software } = adapter;
    this.profile = {
      workgroupMemory: !direct,
      threads: software ? 16 : 64,
      quads: software && device.features.has("subgroups"),
    };
    device.lost.then(({ reason, message }) => {
      this.#lost ??= `${message || reason}`;
    });
  }

  /** Requests a device with the adapter's own limits and waits `timeout` milliseconds for it. */
  static async create(
    adapter: GPUAdapter,
    description: AdapterDescription,
    { timeout, ...options }: GpuOptions & { timeout: number },
  ): Promise<GpuDevice> {
    const asked = adapter.requestDevice({
      label: "gradus",
      requiredLimits: ownLimits(adapter),
      requiredFeatures: FEATURES.filter((name) => adapter.features.has(name)),
    });
    const device = await within("requestDevice", timeout, asked, (late) => late.destroy());
    return new GpuDevice(device, description, options);
  }

  get description(): string {
    return this.adapter.name;
  }

  check(op: string): void {
    if (this.#lost !== null) {
      throw new DeviceError(
        `${op}: the webgpu device was lost (${this.#lost}); expected a live device. ` +
          "Call init() again and restore the weights",
      );
    }
  }

  protected surface(): void {
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

  override together<T>(fn: () => T): T {
    this.#isTogether = true;
    try {
      return fn();
    } finally {
      this.#isTogether = false;
    }
  }

  async timeKernels(kernels: readonly NamedKernel[]): Promise<Profile> {
    const { profileKernels } = await profilerModule.get();
    this.#queue.flush();
    return this.#guarded(() => profileKernels(this.device, kernels));
  }

  room(): Promise<void> | undefined {
    return this.#queue.room();
  }

  protected compile(program: Program, options: PlanOptions): Plan {
    return this.#guarded(() => new GpuPlan(this, program, options)) as Plan;
  }

  protected upload(values: NumericArray, dtype: DType): Storage {
    const data = toGpu(values, dtype);
    checkFits("tensor:", data.byteLength, this.device.limits);
    const storage = this.#guarded(() => this.pool.acquire(data.byteLength));
    this.#writeBuffer(storage, data);
    return storage;
  }

  protected overwrite(storage: Storage, values: NumericArray, dtype: DType): void {
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

  protected async download(storage: Storage, dtype: DType, size: number): Promise<NumericArray> {
    const bytes = bytesOf(dtype, size);
    if (bytes === 0) return fromGpu(new ArrayBuffer(0), dtype, 0);
    const staging = this.#staging.acquire(bytes);
    this.#queue.copy("gradus read", (storage as BufferStorage).buffer, staging.buffer, bytes);
    try {
      await staging.buffer.mapAsync(GPUMapMode.READ, 0, bytes);
    } catch (error) {
      this.#staging.drop(staging); // what could not be mapped once may be no good
      await this.#settle();
      throw new DeviceError(`read: mapping failed (${(error as Error).message}); expected a value`);
    }
    const values = fromGpu(staging.buffer.getMappedRange(0, bytes), dtype, size);
    staging.buffer.unmap();
    this.#staging.release(staging);
    await this.#settle();
    return values;
  }

  protected free(storage: Storage): void {
    this.pool.release(storage);
  }

  protected usage() {
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
