import { describeValue } from "../../core/check.ts";
import { DeviceError } from "../../core/errors.ts";

/** What kernels are written for, which core WebGPU promises of every GPUDevice. */
const LEAST = {
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupStorageSize: 16384,
  maxStorageBuffersPerShaderStage: 8,
} as const;

/** The GPUDevice behind one that was adopted. */
const behind = new WeakMap<GPUDevice, GPUDevice>();

/** The GPUDevice to name where a part of the page is told of one. */
export function pageDevice(device: GPUDevice): GPUDevice {
  return behind.get(device) ?? device;
}

/**
 * Gives an adapter whose only device is one of the page's, of which nothing is destroyed but what was
 * made through it.
 * @throws DeviceError for what is no GPUDevice, for one that is lost, and for one of compatibility mode
 * with less than kernels need.
 */
export async function asAdapter(op: string, device: GPUDevice): Promise<GPUAdapter> {
  const given = device as Partial<GPUDevice> | null | undefined;
  if (typeof given?.createComputePipeline !== "function" || !given.limits) {
    throw new DeviceError(`${op}: gpuDevice ${describeValue(device)}; expected a GPUDevice`);
  }
  for (const [name, least] of Object.entries(LEAST)) {
    const has = device.limits[name as keyof typeof LEAST];
    if (has >= least) continue;
    throw new DeviceError(
      `${op}: gpuDevice with ${name} ${has}; expected at least ${least}, as core WebGPU promises`,
    );
  }
  const lost = await Promise.race([device.lost, null]);
  if (lost) {
    throw new DeviceError(
      `${op}: gpuDevice is lost (${lost.message || lost.reason}); expected a live one`,
    );
  }
  const { limits, features } = device;
  const requestDevice = () => Promise.resolve(lent(device));
  return { info: device.adapterInfo, limits, features, requestDevice } as unknown as GPUAdapter;
}

/** A GPUDevice that makes things of another, and is destroyed without it. */
function lent(device: GPUDevice): GPUDevice {
  const made = new Set<{ destroy(): void }>();
  let end: (info: GPUDeviceLostInfo) => void = () => {};
  const ended = new Promise<GPUDeviceLostInfo>((resolve) => {
    end = resolve;
  });
  const lost = Promise.race([device.lost, ended]);
  const keep = <T extends { destroy(): undefined }>(object: T): T => {
    const destroy = object.destroy.bind(object);
    made.add(object);
    object.destroy = () => {
      made.delete(object);
      return destroy();
    };
    return object;
  };
  const own: Readonly<Record<string, unknown>> = {
    lost,
    createBuffer: (given: GPUBufferDescriptor) => keep(device.createBuffer(given)),
    createTexture: (given: GPUTextureDescriptor) => keep(device.createTexture(given)),
    createQuerySet: (given: GPUQuerySetDescriptor) => keep(device.createQuerySet(given)),
    destroy: () => {
      for (const object of [...made]) object.destroy();
      end({ reason: "destroyed", message: "disposed" } as GPUDeviceLostInfo);
    },
  };
  const bound = new Map<PropertyKey, unknown>();
  const proxy = new Proxy(device, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return own[name as string];
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== "function") return value;
      if (!bound.has(name)) bound.set(name, value.bind(target));
      return bound.get(name);
    },
  });
  behind.set(proxy, device);
  return proxy;
}
