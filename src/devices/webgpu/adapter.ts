import { DeviceError } from "../../core/errors.ts";
import { cpuModule } from "../on-demand.ts";
import { within } from "./within.ts";

/** What hardware stands behind a device. */
export interface AdapterDescription {
  readonly name: string;
  /** Whether a CPU emulates the GPU. */
  readonly software: boolean;
  /** Whether kernels with direct loads beat those with workgroup memory, as on mobile GPUs. */
  readonly direct: boolean;
}

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|basic render|warp/i;
const MOBILE = /qualcomm|adreno|\barm\b|mali|img-tec|powervr|broadcom/i;

/** An adapter of a browser before its `info` came, Chrome 127. */
interface EarlyAdapter {
  readonly info?: GPUAdapterInfo;
  readonly isFallbackAdapter?: boolean;
  requestAdapterInfo?(): Promise<GPUAdapterInfo>;
}

/** Describes an adapter from what it reveals of itself. */
export async function describeAdapter(adapter: EarlyAdapter): Promise<AdapterDescription> {
  const info = adapter.info ?? (await adapter.requestAdapterInfo?.());
  const parts = [info?.vendor, info?.architecture, info?.device, info?.description];
  const name = [...new Set(parts.filter((part) => part))].join(" ") || "unknown adapter";
  const fallback = info?.isFallbackAdapter ?? adapter.isFallbackAdapter;
  const software = fallback === true || SOFTWARE.test(name);
  return { name, software, direct: software || MOBILE.test(name) };
}

/** Finds WebGPU in the page, or in Node through the optional package `webgpu`. */
export async function findGpu(): Promise<GPU> {
  const own = (globalThis.navigator as Navigator | undefined)?.gpu;
  const found = own ?? (await (await cpuModule.get()).gpuElsewhere());
  if (typeof found === "string") throw new DeviceError(found);
  return found;
}

/** How long a browser may take to answer, in milliseconds. */
export const TIMEOUT = 30_000;

/**
 * Asks for an adapter and waits `timeout` milliseconds for it: one of the compatibility mode, which has less,
 * where there is no other; null when there is none.
 */
export async function findAdapter(gpu: GPU, timeout = TIMEOUT): Promise<GPUAdapter | null> {
  const ask = (options: GPURequestAdapterOptions) =>
    within("init", "requestAdapter", timeout, () => gpu.requestAdapter(options));
  return (
    (await ask({ powerPreference: "high-performance" })) ?? ask({ featureLevel: "compatibility" })
  );
}

/** The adapter's own limits for what may go beyond the defaults; no workgroup has more invocations. */
function ownLimits(adapter: GPUAdapter): Record<string, number> {
  const names = [
    "maxBufferSize",
    "maxStorageBufferBindingSize",
    "maxStorageBuffersPerShaderStage",
    "maxComputeWorkgroupStorageSize",
  ] as const;
  return Object.fromEntries(names.map((name) => [name, adapter.limits[name]]));
}

/** What is used where it is there. */
const FEATURES = /^timestamp-query$|^subgroups$|subgroup-matrix$/;

/** Requests a GPUDevice with the adapter's own limits and waits `timeout` milliseconds for it. */
export function requestDevice(
  op: string,
  adapter: GPUAdapter,
  timeout: number,
): Promise<GPUDevice> {
  const ask = () =>
    adapter.requestDevice({
      label: "gradus",
      requiredLimits: ownLimits(adapter),
      requiredFeatures: [...adapter.features].filter((name) =>
        FEATURES.test(name),
      ) as GPUFeatureName[],
    });
  return within(op, "requestDevice", timeout, ask, (late) => late.destroy());
}
