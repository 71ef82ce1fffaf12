import type { DType } from "../core/dtype.ts";
import type { Shape } from "../core/shape.ts";
import type { BufferStorage } from "../devices/webgpu/buffers.ts";
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
