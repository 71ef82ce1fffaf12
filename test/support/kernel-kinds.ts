import { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import { init } from "../../src/index.ts";

/** The two kinds of kernels, between which the adapter decides. */
export const KERNEL_KINDS = ["direct", "workgroup"] as const;

/**
 * A device for each kind of kernels, on one GPUDevice. Code that both kinds give is compiled once,
 * since Dawn knows equal modules and pipelines of a GPUDevice again; it is run and compared twice.
 */
export async function kernelKinds(): Promise<Record<(typeof KERNEL_KINDS)[number], GpuDevice>> {
  const choice = await init({
    device: "webgpu",
    kernels: "direct",
    tune: "off",
    isolated: true,
  });
  const direct = choice.device as GpuDevice;
  const workgroup = new GpuDevice(direct.device, direct.adapter, {
    kernels: "workgroup",
    tune: "off",
  });
  return { direct, workgroup };
}
