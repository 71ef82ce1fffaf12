import { GradusError, MemoryError, tensor } from "../../src/index.ts";
import { type Check, type Context, messageOf } from "../context.ts";

const MIB = 2 ** 20;
const PIECE = 16 * MIB;

/** Makes a buffer; null where there is no memory for it. */
async function make(device: GPUDevice, size: number): Promise<GPUBuffer | null> {
  const { STORAGE, COPY_DST } = GPUBufferUsage;
  device.pushErrorScope("validation");
  device.pushErrorScope("out-of-memory");
  let buffer: GPUBuffer | null = null;
  try {
    buffer = device.createBuffer({ size, usage: STORAGE | COPY_DST });
  } catch {
    // Some throw where others tell by a scope.
  }
  const errors = [await device.popErrorScope(), await device.popErrorScope()];
  if (errors.every((error) => error === null)) return buffer;
  buffer?.destroy();
  return null;
}

/** The largest buffer up to the bound, by doubling; one is tried in any case. */
async function largest(context: Context, device: GPUDevice): Promise<number> {
  let found = 0;
  const most = Math.min(context.spare, device.limits.maxBufferSize);
  for (let size = PIECE; size <= most; size *= 2) {
    const buffer = await make(device, size);
    if (!buffer) break;
    found = size;
    buffer.destroy();
    if (context.isStopped) break;
  }
  return found;
}

/** How many bytes of many buffers can be written, up to the bound; one is tried in any case. */
async function together(context: Context, device: GPUDevice): Promise<number> {
  const held: GPUBuffer[] = [];
  const most = context.spare;
  while (held.length * PIECE < most && (held.length === 0 || context.hasTime)) {
    const buffer = await make(device, PIECE);
    if (!buffer) break;
    held.push(buffer);
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(buffer);
    device.queue.submit([encoder.finish()]);
  }
  await device.queue.onSubmittedWorkDone();
  for (const buffer of held) buffer.destroy();
  return held.length * PIECE;
}

/** Tells whether what has no room is refused, and everything else goes on. */
async function tellRefusal(context: Context): Promise<void> {
  const device = await context.bench.engine();
  const { maxBufferSize } = device.device.limits;
  const name = "what has no room";
  const size = Math.floor(maxBufferSize / 4) + 4;
  try {
    // Never uploaded: the list of values is a stand-in of the right length.
    const values = { length: size } as unknown as Float32Array;
    tensor(values, { device });
    context.line({
      name,
      verdict: "wrong",
      text: `${size} numbers were taken; expected a refusal`,
    });
  } catch (error) {
    const isOurs = error instanceof MemoryError || error instanceof GradusError;
    using three = tensor([1, 2], { device }).sum();
    const sum = await three.item();
    const isGood = isOurs && sum === 3;
    context.line({
      name,
      verdict: isGood ? "ok" : "wrong",
      text: isGood ? "is refused, and all else goes on" : messageOf(error),
    });
  }
}

/** How much memory there is, asked with care. */
export const memoryCeiling: Check = {
  name: "Memory",
  seconds: { quick: 1, full: 8 },
  run: async (context) => {
    const device = await context.bench.gpu();
    const most = context.spare / MIB;
    const told = (found: number) => (found / MIB < most ? "" : " or more");
    const size = await largest(context, device);
    context.line({
      ...{
        name: "one buffer",
        verdict: size > 0 ? "ok" : "wrong",
        figure: size / MIB,
        unit: "MiB",
      },
      text: `at once${told(size)}; no more than ${most} MiB is asked for`,
    });
    context.progress("many buffers", 0.5);
    const all = await together(context, device);
    context.line({
      ...{
        name: "many buffers",
        verdict: all > 0 ? "ok" : "wrong",
        figure: all / MIB,
        unit: "MiB",
      },
      text: `written${told(all)}, in pieces of ${PIECE / MIB} MiB`,
    });
    await tellRefusal(context);
  },
};
