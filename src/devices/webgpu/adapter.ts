import { DeviceError } from "../../core/errors.ts";

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

/** Describes an adapter from what it reveals of itself. */
export function describeAdapter(info: GPUAdapterInfo): AdapterDescription {
  const parts = [info.vendor, info.architecture, info.device, info.description];
  const name = [...new Set(parts.filter((part) => part))].join(" ") || "unknown adapter";
  const software = info.isFallbackAdapter === true || SOFTWARE.test(name);
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
  const name = "webgpu"; // kept from bundlers: the package is optional
  let bindings: { create(flags: string[]): GPU; globals: object };
  try {
    bindings = await import(/* @vite-ignore */ name);
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

/** Asks for an adapter; null when there is none. */
export async function findAdapter(gpu: GPU): Promise<GPUAdapter | null> {
  return (
    (await gpu.requestAdapter({ powerPreference: "high-performance" })) ??
    (await gpu.requestAdapter())
  );
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
