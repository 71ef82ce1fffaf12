import type { DType, NumericArray } from "../../core/dtype.ts";
import { Device, type Download } from "../../engine/device.ts";
import type { Plan, PlanOptions } from "../../engine/plan.ts";
import type { Program } from "../../engine/program.ts";
import type { DeviceLoss, Storage } from "../../graph/backend.ts";
import { type AdapterDescription, ownLimits } from "./adapter.ts";
import type { BufferStorage } from "./buffers.ts";
import type { GpuOptions } from "./options.ts";
import { GpuSession } from "./session.ts";
import { SessionPlan } from "./session-plan.ts";
import { within } from "./within.ts";

/** What is used where it is there. */
const FEATURES = ["timestamp-query", "subgroups"] as const;

const DTYPES: ReadonlySet<DType> = new Set(["f32", "i32", "u32", "bool", "u8"]);

/** A WebGPU device: fused kernels, one encoder, one pass and one submit per evaluation. */
export class GpuDevice extends Device {
  readonly kind = "webgpu";
  readonly dtypes = DTYPES;
  /** All that belongs to the present GPUDevice. */
  readonly session: GpuSession;

  constructor(
    device: GPUDevice,
    adapter: AdapterDescription,
    options: GpuOptions & { readonly timeout?: number } = {},
  ) {
    super();
    this.session = new GpuSession(device, adapter, options, this.counters);
  }

  /** Requests a device with the adapter's own limits and waits `timeout` milliseconds for it. */
  static async create(
    adapter: GPUAdapter,
    description: AdapterDescription,
    options: GpuOptions & { readonly timeout: number },
  ): Promise<GpuDevice> {
    const ask = () =>
      adapter.requestDevice({
        label: "gradus",
        requiredLimits: ownLimits(adapter),
        requiredFeatures: FEATURES.filter((name) => adapter.features.has(name)),
      });
    const destroy = (late: GPUDevice) => late.destroy();
    const own = await within("init", "requestDevice", options.timeout, ask, destroy);
    const device = new GpuDevice(own, description, options);
    try {
      device.begin("init");
      const failure = await device.session.marks.prepare();
      if (failure) throw failure;
      return device;
    } catch (error) {
      device.dispose();
      throw error;
    }
  }

  get device(): GPUDevice {
    return this.session.device;
  }

  get adapter(): AdapterDescription {
    return this.session.adapter;
  }

  get description(): string {
    return this.adapter.name;
  }

  get lost(): Promise<DeviceLoss> {
    return this.session.lost;
  }

  check(op: string): void {
    this.session.check(op);
  }

  override begin(op: string): void {
    this.session.begin(op);
  }

  dispose(): void {
    this.session.dispose();
  }

  override together<T>(fn: () => T): T {
    return this.session.together(fn);
  }

  room(): Promise<void> | undefined {
    return this.session.room();
  }

  protected compile(program: Program, options: PlanOptions): Plan {
    return new SessionPlan(this, program, options);
  }

  protected upload(values: NumericArray, dtype: DType): Storage {
    return this.session.upload(values, dtype);
  }

  protected overwrite(storage: Storage, values: NumericArray, dtype: DType): void {
    this.session.overwrite(storage, values, dtype);
  }

  protected download(wanted: readonly Download[]): Promise<NumericArray[]> {
    return this.session.download(wanted);
  }

  protected free(storage: Storage): void {
    const { pool } = storage as BufferStorage;
    pool.release(storage);
  }

  protected usage() {
    return this.session.usage();
  }
}
