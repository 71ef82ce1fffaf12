import type { DType } from "../core/dtype.ts";
import { DeviceError } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import type { BufferStorage } from "../devices/webgpu/buffers.ts";
import { pageDevice } from "../devices/webgpu/foreign-device.ts";
import type { GpuSession } from "../devices/webgpu/session.ts";
import type { EngineDevice } from "../engine/device.ts";
import type { Device } from "../graph/device.ts";
import { Node } from "../graph/node.ts";
import { announce, Tensor } from "../graph/tensor.ts";

/** The session of a device that works with WebGPU at present; null of others. */
export function gpuSessionOf(device: Device): GpuSession | null {
  const { session } = device as EngineDevice;
  return session?.kind === "webgpu" ? (session as GpuSession) : null;
}

/** The session of a device that shares the page's GPUDevice. */
export function sharedSession(op: string, device: Device): GpuSession {
  const session = gpuSessionOf(device);
  if (session && pageDevice(session.device) !== session.device) return session;
  throw new DeviceError(
    `${op}: a ${device.kind} device with a GPUDevice that is not the page's; expected one that ` +
      "init({ gpuDevice }) gave",
  );
}

/** Makes a tensor of a storage. */
export function holding(
  device: Device,
  shape: Shape,
  dtype: DType,
  storage: BufferStorage,
  Kind: typeof Node = Node,
): Tensor {
  const node = new Kind(device, shape, dtype);
  (device as EngineDevice).give(node, storage);
  return announce(new Tensor(node));
}
