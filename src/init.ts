import { DeviceError } from "./core/errors.ts";
import { describeAdapter, findAdapter, findGpu } from "./devices/webgpu/adapter.ts";
import { GpuDevice, type GpuOptions } from "./devices/webgpu/gpu-device.ts";
import type { Device, MemoryInfo } from "./engine/device.ts";
import { defaultDevice, setDefaultDevice } from "./graph/default-device.ts";
import { provideMethods } from "./graph/tensor.ts";
import { add, div, mul, neg, sub } from "./ops/arithmetic.ts";
import { sum } from "./ops/broadcast.ts";
import { matmul } from "./ops/matmul.ts";
import { mean } from "./ops/reduce.ts";
import { reshape, transpose } from "./ops/reshape.ts";

/** Options of `init`. */
export interface InitOptions extends GpuOptions {
  /**
   * `auto` takes a real GPU, else the CPU; `webgpu` takes any adapter, also one that a CPU
   * emulates, and fails when there is none; `cpu` takes the CPU.
   */
  device?: "auto" | "webgpu" | "cpu";
  /** Whether tensors are made there when no device is named; true when left out. */
  asDefault?: boolean;
}

/** A device and why it was chosen, for people. */
export interface Choice {
  readonly device: Device;
  readonly reason: string;
}

/**
 * Chooses a device and, unless told otherwise, makes it the default one.
 * @throws DeviceError when `webgpu` was asked for and is not to be had.
 * @example const { device, reason } = await init();
 */
export async function init(options: InitOptions = {}): Promise<Choice> {
  provideMethods({ add, sub, mul, div, neg, matmul, sum, mean, reshape, transpose });
  const choice = await choose(options);
  if (options.asDefault ?? true) setDefaultDevice(choice.device);
  return choice;
}

async function choose(options: InitOptions): Promise<Choice> {
  const wanted = options.device ?? "auto";
  if (wanted === "cpu") return onCpu("asked for");
  if (wanted !== "auto" && wanted !== "webgpu") {
    throw new DeviceError(`init: device ${JSON.stringify(wanted)}; expected auto, webgpu or cpu`);
  }
  try {
    const adapter = await findAdapter(await findGpu());
    if (!adapter) {
      throw new DeviceError("init: no WebGPU adapter; expected one. Use the cpu device");
    }
    const { name, software } = describeAdapter(adapter.info);
    if (software && wanted === "auto") {
      const reason = `the only WebGPU adapter is emulated by the CPU (${name})`;
      return onCpu(reason);
    }
    const device = await GpuDevice.create(adapter, options);
    return { device, reason: wanted === "auto" ? `a GPU was found (${name})` : "asked for" };
  } catch (error) {
    if (wanted === "webgpu") throw error;
    return onCpu(given(error as Error));
  }
}

// A page with a GPU needs no other device, so it loads none.
async function onCpu(reason: string): Promise<Choice> {
  const { CpuDevice } = await import("./devices/cpu/cpu-device.ts");
  return { device: new CpuDevice(), reason };
}

/** What was found, of a message that also says what was expected. */
function given({ message }: Error): string {
  return message.split(";")[0].replace(/^\w+: /, "");
}

/** Reports what is alive on the default device, or on another. */
export function memory(device: Device = defaultDevice() as Device): MemoryInfo {
  return device.memory();
}
