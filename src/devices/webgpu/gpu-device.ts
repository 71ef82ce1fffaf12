import { EngineDevice } from "../../engine/device.ts";
import type { Plan, PlanOptions } from "../../engine/plan.ts";
import type { Program } from "../../engine/program.ts";
import type { Session } from "../../engine/session.ts";
import { cpuModule } from "../on-demand.ts";
import { type AdapterDescription, requestDevice } from "./adapter.ts";
import type { GpuOptions } from "./options.ts";
import { GpuSession } from "./session.ts";
import { SessionPlan } from "./session-plan.ts";

/** What a device is made with. */
interface DeviceOptions extends GpuOptions {
  readonly timeout?: number;
  /** Whether training may go to the CPU where that is measured to be faster; false when left out. */
  readonly isMeasured?: boolean;
}

/**
 * A WebGPU device: fused kernels, one encoder, one pass and one submit per evaluation. A GPUDevice
 * that is lost is replaced by another, and where there is none any more by the CPU.
 */
export class GpuDevice extends EngineDevice {
  /** All that belongs to the present GPUDevice. */
  session: Session;

  constructor(
    device: GPUDevice,
    adapter: AdapterDescription,
    readonly options: DeviceOptions = {},
  ) {
    super();
    this.session = new GpuSession(device, adapter, options, this.counters);
    if (options.isMeasured) this.holders = new Map();
    this.remakeWhenLost();
  }

  /** Requests a device with the adapter's own limits and waits `timeout` milliseconds for it. */
  static async create(
    adapter: GPUAdapter,
    description: AdapterDescription,
    options: DeviceOptions & { readonly timeout: number },
  ): Promise<GpuDevice> {
    cpuModule.get().catch(() => {}); // by what it loads plans are made better, from the first on
    const own = await requestDevice("init", adapter, options.timeout);
    const device = new GpuDevice(own, description, options);
    try {
      await (device.session as GpuSession).prepare();
      await device.#recovery().catch(() => {}); // tried again when it is needed
      return device;
    } catch (error) {
      device.dispose(); // it is not to come back for nobody
      throw error;
    }
  }

  /** The present GPUDevice, or the last one. */
  get device(): GPUDevice {
    return (this.session as GpuSession).device;
  }

  get adapter(): AdapterDescription {
    return (this.session as GpuSession).adapter;
  }

  /** Loads what guards against losses, before one may take the network too. */
  async #recovery() {
    const loaded = await cpuModule.get();
    this.journal ??= loaded.journalOf(this);
    return loaded;
  }

  override async guard(most: number): Promise<void> {
    try {
      await this.#recovery();
    } catch (error) {
      console.warn(`gradus: a loss of the GPU would end training, for ${error}`);
    }
    await this.journal?.open(most);
  }

  protected override async remake(message: string): Promise<() => void> {
    return (await this.#recovery()).remake(this, message);
  }

  protected override compile(program: Program, options: PlanOptions): Plan {
    return new SessionPlan(this, program, options);
  }
}
