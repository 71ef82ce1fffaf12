import { checkOptions, describeValue, isInteger, type Known } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import { DeviceError, GradusError, ShapeError } from "../core/errors.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../core/shape.ts";
import { BufferStorage, checkFits, GRANULE } from "../devices/webgpu/buffers.ts";
import type { GpuSession } from "../devices/webgpu/session.ts";
import { inGranules } from "../devices/webgpu/shared-sources.ts";
import { bytesOf } from "../devices/webgpu/transfer.ts";
import type { EngineDevice } from "../engine/device.ts";
import { defaultDevice } from "../graph/default-device.ts";
import type { Device } from "../graph/device.ts";
import { identity } from "../graph/identity.ts";
import { Node } from "../graph/node.ts";
import { checkDType, type Tensor } from "../graph/tensor.ts";
import { checkUntraced } from "../graph/tracing.ts";
import { holding, sharedSession } from "./gpu-storage.ts";

/** A buffer of WebGPU, `GPUBuffer`. */
export interface PageBuffer {
  readonly size: number;
  readonly usage: number;
  /** Frees its memory. */
  destroy(): void;
}

/** Options of `fromBuffer`. */
export interface FromBufferOptions {
  /** The shape of the values, row-major. */
  shape: Shape;
  /** `f32` when left out. */
  dtype?: DType;
  /** Where they begin, in bytes, a multiple of 256; 0 when left out. */
  offset?: number;
  /** The device of `init` when left out. */
  device?: Device;
}

const FROM_BUFFER: Known<FromBufferOptions> = {
  shape: "number",
  dtype: "string",
  offset: true,
  device: true,
};

/** A value in a buffer of the page, which no state takes as its own. */
class LentNode extends Node {
  override passTo(next: Node): void {
    const { device, shape, dtype } = this;
    const copy = new Node(device, shape, dtype, identity, [this]);
    device.evaluate([copy], "state");
    copy.passTo(next);
    const own = this.surrender();
    if (own) device.release(own);
  }
}

let lent = 0;

/**
 * Makes a tensor of values that lie in a buffer of the page's GPUDevice, which is not copied. A tensor is
 * a value: until it is disposed and what was enqueued with it has run, nothing may write to that part of
 * the buffer, nor map or destroy it; commands that the page has submitted before come first. A state that
 * is made of it has a copy. Disposing it leaves the buffer as it is.
 *
 * Elements of f32, i32 and u32 are words, those of u8 and other storage share one, a bool is a u32 of 0 or 1.
 * @param buffer with usage `STORAGE` and `COPY_SRC`, and room for the bytes rounded up to a multiple of
 * 256, since kernels read vectors.
 * @throws DeviceError unless the device was given the page's GPUDevice by `init({ gpuDevice })`, for a
 * buffer with another usage and for more bytes than a kernel may bind; ShapeError for one with too little
 * room, another offset or no elements; GradusError for what is no buffer and in a compiled function. A
 * buffer of another GPUDevice is an error at each use.
 */
export function fromBuffer(
  buffer: PageBuffer,
  options: FromBufferOptions,
  ...surplus: never[]
): Tensor {
  const op = "fromBuffer";
  checkOptions(op, options, FROM_BUFFER, surplus);
  const { dtype = "f32", offset = 0, device = defaultDevice() } = options;
  checkDType(op, dtype, device);
  const shape = checkShape(op, options.shape);
  checkUntraced(op, "a tensor made outside. Give it as an argument");
  device.check(op);
  const session = sharedSession(op, device);
  const bytes = inGranules(bytesOf(dtype, sizeOf(shape)));
  checkBuffer(op, buffer, offset, bytes, shape);
  checkFits(`${op}:`, bytes, session.device.limits);
  return holding(device, shape, dtype, lend(op, device, session, buffer, offset, bytes), LentNode);
}

function checkBuffer(
  op: string,
  buffer: PageBuffer,
  offset: number,
  bytes: number,
  shape: Shape,
): void {
  const given = buffer as GPUBuffer | null | undefined;
  if (typeof given?.mapAsync !== "function") {
    throw new GradusError(`${op}: buffer ${describeValue(buffer)}; expected a GPUBuffer`);
  }
  const { size, usage } = given;
  const wanted = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  if ((usage & wanted) !== wanted) {
    throw new DeviceError(
      `${op}: a buffer with usage ${usage}; expected STORAGE and COPY_SRC among it`,
    );
  }
  if (!isInteger(offset, 0) || offset % GRANULE !== 0) {
    throw new ShapeError(
      `${op}: offset ${describeValue(offset)}; expected a multiple of ${GRANULE} from 0`,
    );
  }
  if (bytes > 0 && offset + bytes <= size) return;
  const expected = bytes > 0 ? `at least ${offset + bytes} bytes` : "at least one element";
  throw new ShapeError(
    `${op}: a buffer of ${size} bytes for shape ${formatShape(shape)} from byte ${offset} on; ` +
      `expected ${expected}`,
  );
}

/** A storage in a buffer of the page, which the pool never gets. */
function lend(
  op: string,
  device: Device,
  session: GpuSession,
  buffer: PageBuffer,
  offset: number,
  bytes: number,
): BufferStorage {
  (device as EngineDevice).begin(op);
  const { guard, pool, queue } = session;
  const block: BufferStorage["block"] = {
    bytes: buffer.size,
    buffer: buffer as GPUBuffer,
    id: --lent,
    use: "tensors",
    check: null,
    isGone: true, // of what is given back to the pool
    storages: new Set(),
  };
  const storage = new BufferStorage(bytes, pool, block);
  storage.offset = offset;
  // Binds it once, so that one of another device, or one that was destroyed, is known as such.
  guard.make(() => {
    const entry = { binding: 0, visibility: GPUShaderStage.COMPUTE } as const;
    const layout = session.device.createBindGroupLayout({
      label: op,
      entries: [{ ...entry, buffer: { type: "read-only-storage" } }],
    });
    const resource = { buffer: buffer as GPUBuffer, offset, size: bytes };
    session.device.createBindGroup({ label: op, layout, entries: [{ binding: 0, resource }] });
  });
  queue.note(storage);
  return storage;
}
