import { checkSurplus } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { BufferStorage } from "../devices/webgpu/buffers.ts";
import { bytesOf } from "../devices/webgpu/transfer.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { checkUntraced } from "../graph/tracing.ts";
import type { PageBuffer } from "./from-buffer.ts";
import { sharedSession } from "./gpu-storage.ts";

/** Where values lie: what `createBindGroup` takes as a resource. */
export interface BufferPlace {
  /** A `GPUBuffer` with usage `STORAGE`, `COPY_SRC` and `COPY_DST`. */
  readonly buffer: PageBuffer;
  /** Where they begin, in bytes, a multiple of 256. */
  readonly offset: number;
  /** Their bytes, a multiple of 4. */
  readonly size: number;
}

/**
 * Gives the buffer in which a tensor's values lie, on a GPUDevice that is shared with the page, without a
 * copy. They are computed first, and commands that the page submits afterwards find them. A tensor is a
 * value: nothing may write there. The place holds until the tensor is disposed, or the state assigned,
 * or the next call of a compiled function that may change it; then the buffer is used for others.
 * @throws DeviceError unless the device was given the page's GPUDevice by `init({ gpuDevice })`, and
 * what went wrong with the values; ShapeError for a tensor without elements; GradusError in a compiled
 * function.
 */
export async function toBuffer(x: Tensor, ...surplus: never[]): Promise<BufferPlace> {
  const op = "toBuffer";
  checkSurplus("toBuffer(x)", surplus);
  checkTensors(op, [x]);
  const { device, dtype, shape, size } = x;
  checkUntraced(op, "a tensor that it has returned");
  device.check(op);
  const { log, queue, timeout } = sharedSession(op, device);
  if (size === 0) {
    throw new ShapeError(`${op}: shape ${formatShape(shape)}; expected at least one element`);
  }
  const node = x.use();
  device.evaluate([node], op);
  const storage = node.storage as BufferStorage;
  const entry = queue.submit(`gradus ${op}`, { reads: [storage], writes: [] }, () => {});
  await log.settle(entry, timeout);
  const failure = storage.failure ?? entry.failure;
  if (failure) throw failure;
  return { buffer: storage.buffer, offset: storage.offset, size: bytesOf(dtype, size) };
}
