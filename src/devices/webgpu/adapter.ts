import { DeviceError } from "../../core/errors.ts";
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
  if (own) return own;
  if (typeof process === "undefined" || !process.versions?.node) {
    const reason = globalThis.isSecureContext === false ? " on an insecure origin" : "";
    throw new DeviceError(
      `webgpu: navigator.gpu is missing${reason}; expected a browser with WebGPU. ` +
        "Use the cpu device",
    );
  }
  return dawn();
}

let inNode: GPU | undefined;

async function dawn(): Promise<GPU> {
  if (inNode) return inNode;
  const name = "webgpu"; // kept from bundlers, as the comments below: the package is optional
  let bindings: { create(flags: string[]): GPU; globals: object };
  try {
    bindings = await import(/* @vite-ignore */ /* webpackIgnore: true */ name);
  } catch {
    throw new DeviceError(
      'webgpu: Node has no WebGPU of its own; expected the package "webgpu". ' +
        "Run npm install webgpu, or use the cpu device",
    );
  }
  Object.assign(globalThis, bindings.globals);
  inNode = bindings.create([]);
  return inNode;
}

/** How long a browser may take to answer, in milliseconds. */
export const TIMEOUT = 30_000;

/** Asks for an adapter and waits `timeout` milliseconds for it; null when there is none. */
export async function findAdapter(gpu: GPU, timeout = TIMEOUT): Promise<GPUAdapter | null> {
  const ask = (options?: GPURequestAdapterOptions) =>
    within("requestAdapter", timeout, gpu.requestAdapter(options));
  return (await ask({ powerPreference: "high-performance" })) ?? ask();
}

/** The adapter's own limits for what the engine uses. */
export function ownLimits(adapter: GPUAdapter): Record<string, number> {
  const names = [
    "maxBufferSize",
    "maxStorageBufferBindingSize",
    "maxStorageBuffersPerShaderStage",
    "maxComputeWorkgroupStorageSize",
    "maxComputeInvocationsPerWorkgroup",
    "maxComputeWorkgroupSizeX",
    "maxComputeWorkgroupSizeY",
  ] as const;
  return Object.fromEntries(names.map((name) => [name, adapter.limits[name]]));
}
