import { checkOptions, checkWords, describeValue, type Known } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import type { BufferStorage } from "../devices/webgpu/buffers.ts";
import { pageDevice } from "../devices/webgpu/foreign-device.ts";
import type { LogEntry } from "../devices/webgpu/log.ts";
import type { GpuSession } from "../devices/webgpu/session.ts";
import type { Tensor } from "../graph/tensor.ts";
import { pad } from "../ops/pad.ts";
import { reshape } from "../ops/reshape.ts";
import { gpuSessionOf } from "../webgpu/gpu-storage.ts";
import { rowBytes } from "./gpu-pixels.ts";
import type { Pen } from "./host-pixels.ts";
import { type CanvasLike, refused } from "./sources.ts";
import {
  type Picture,
  pictureBytes,
  pictureOf,
  readPicture,
  type ToPixelsOptions,
} from "./to-pixels.ts";

/** Options of `toCanvas`. */
export interface ToCanvasOptions extends ToPixelsOptions {
  /**
   * How it is drawn. `webgpu` leaves the pixels on the GPU, `2d` reads them; what the canvas has when
   * left out, `2d` where it has none yet.
   */
  context?: "2d" | "webgpu";
}

const TO_CANVAS: Known<ToCanvasOptions> = { layout: "string", context: true };

/** A canvas with all that is asked of it here. */
type Canvas = HTMLCanvasElement | OffscreenCanvas;

/**
 * Draws a picture on a canvas, which takes its size. Where the canvas has a context of WebGPU and the
 * tensor is there, the pixels never leave the GPU; else they are read, and put by a 2-D context. A
 * context of WebGPU is configured for the GPUDevice that the tensor lives on.
 * @param x as `toPixels` takes it.
 * @throws as `toPixels` does; GradusError for a canvas that has another context than was asked for, and
 * for WebGPU on a device that is none.
 * @example await toCanvas(zeros([28, 28]), canvas); // a <canvas> of the page, black
 */
export async function toCanvas(
  x: Tensor,
  canvas: CanvasLike,
  options: ToCanvasOptions = {},
  ...surplus: never[]
): Promise<void> {
  const op = "toCanvas";
  checkOptions(op, options, TO_CANVAS, surplus);
  const picture = pictureOf(op, x, options.layout);
  if (typeof canvas?.getContext !== "function") {
    throw new GradusError(`${op}: canvas ${describeValue(canvas)}; expected a canvas`);
  }
  const context = contextOf(op, x, canvas as Canvas, options.context);
  if ("configure" in context) {
    await present(op, picture, canvas, context);
    return;
  }
  const { data, width, height } = await readPicture(op, picture);
  Object.assign(canvas, { width, height });
  try {
    const pixels = context.createImageData(width, height);
    pixels.data.set(data);
    context.putImageData(pixels, 0, 0);
  } catch (error) {
    throw refused(op, "a canvas", error);
  }
}

/** The context by which a canvas is drawn. */
function contextOf(
  op: string,
  x: Tensor,
  canvas: Canvas,
  wanted?: "2d" | "webgpu",
): Pen | GPUCanvasContext {
  if (wanted) checkWords(op, { context: wanted }, ["2d", "webgpu"]);
  const isOnGpu = gpuSessionOf(x.device) !== null;
  if (wanted === "webgpu" && !isOnGpu) {
    throw new GradusError(
      `${op}: context webgpu for a tensor on a ${x.device.kind} device; expected one on webgpu`,
    );
  }
  const pen = wanted === "webgpu" ? null : (canvas.getContext("2d") as Pen | null);
  const found =
    pen ??
    (isOnGpu && wanted !== "2d" ? (canvas.getContext("webgpu") as GPUCanvasContext | null) : null);
  if (found) return found;
  throw new GradusError(
    `${op}: a canvas with another context; expected one with ${wanted ?? "2d"}, or with none yet`,
  );
}

/** Copies a picture on the GPU to what a canvas shows next. */
async function present(
  op: string,
  picture: Picture,
  canvas: CanvasLike,
  context: GPUCanvasContext,
): Promise<void> {
  const { width, height, channels } = picture;
  const { device } = picture.x;
  const session = gpuSessionOf(device) as GpuSession;
  const { guard, log, queue, timeout } = session;
  const hasAlpha = channels === 4;
  const bytesPerRow = rowBytes(width);
  const rows = reshape(pictureBytes(picture, hasAlpha), [height, 4 * width]);
  const padded = pad(rows, [[0, 0], [0, bytesPerRow - 4 * width]]); // biome-ignore format: pairs
  let entry: LogEntry;
  try {
    device.evaluate([padded.node], op);
    const storage = padded.node.storage as BufferStorage;
    guard.make(() => {
      Object.assign(canvas, { width, height });
      context.configure({
        device: pageDevice(session.device),
        format: "rgba8unorm",
        usage: GPUTextureUsage.COPY_DST | GPUTextureUsage.RENDER_ATTACHMENT,
        alphaMode: hasAlpha ? "premultiplied" : "opaque",
      });
    });
    const work = { reads: [storage], writes: [] };
    entry = queue.submit(`gradus ${op}`, work, (encoder) => {
      const { buffer, offset } = storage;
      const shown = { texture: context.getCurrentTexture() };
      encoder.copyBufferToTexture({ buffer, offset, bytesPerRow }, shown, [width, height]);
    });
  } finally {
    padded.dispose();
  }
  await log.settle(entry, timeout);
  if (entry.failure) throw entry.failure;
}
