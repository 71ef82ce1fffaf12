import type { DType } from "../core/dtype.ts";
import { DeviceError } from "../core/errors.ts";
import type { GpuSession } from "../devices/webgpu/session.ts";
import type { EngineDevice } from "../engine/device.ts";
import type { Device } from "../graph/device.ts";
import type { Tensor } from "../graph/tensor.ts";
import { holding } from "../webgpu/gpu-storage.ts";
import { type PictureSource, refused } from "./sources.ts";

/** Rows of a texture lie at multiples of so many bytes in a buffer. */
const ROW = 256;

/** The bytes of a row of so many pixels, with those to the next row. */
export function rowBytes(width: number): number {
  return ROW * Math.ceil((4 * width) / ROW);
}

/** What a source whose pixels a GPU can copy gives. */
export interface CopiedRows {
  /** u8 `[height, rowBytes(width)]`. */
  readonly rows: Tensor;
  /** Whether blue comes first. */
  readonly isBlueFirst: boolean;
}

/** Formats of 4 bytes a pixel; those with blue first begin with b. */
const TEXTURE_FORMATS = /^(rgba|bgra)8unorm(-srgb)?$/;

/**
 * Copies what a page can draw, or a texture, on the GPU.
 * @returns null where the browser does not take such sources, or textures of that size.
 */
export function copyRows(
  op: string,
  device: Device,
  session: GpuSession,
  source: unknown,
  picture: PictureSource,
  dtype: DType,
): CopiedRows | null {
  const { width, height } = picture;
  (device as EngineDevice).begin(op);
  if (picture.kind === "texture") {
    const texture = source as GPUTexture;
    const { format } = texture;
    checkTexture(op, texture);
    const rows = rowsOf(op, device, session, texture, picture, dtype);
    return { rows, isBlueFirst: format.startsWith("b") };
  }
  if (Math.max(width, height) > session.device.limits.maxTextureDimension2D) return null;
  const texture = drawn(op, session, source, picture);
  if (!texture) return null;
  try {
    return { rows: rowsOf(op, device, session, texture, picture, dtype), isBlueFirst: false };
  } finally {
    texture.destroy(); // when what was submitted is done
  }
}

function checkTexture(op: string, { format, usage, sampleCount, dimension }: GPUTexture): void {
  const isPlain = TEXTURE_FORMATS.test(format) && sampleCount === 1 && dimension === "2d";
  if (isPlain && (usage & GPUTextureUsage.COPY_SRC) !== 0) return;
  throw new DeviceError(
    `${op}: a GPUTexture ${format} of ${sampleCount} samples, ${dimension}, usage ${usage}; expected ` +
      "one of rgba8unorm or bgra8unorm with one sample, 2d, and the usage COPY_SRC",
  );
}

/** A texture with the pixels of what a page can draw; null where the browser takes no such source. */
function drawn(
  op: string,
  session: GpuSession,
  source: unknown,
  { name, width, height }: PictureSource,
): GPUTexture | null {
  const { guard } = session;
  const { device } = session;
  const { COPY_SRC, COPY_DST, RENDER_ATTACHMENT } = GPUTextureUsage;
  let texture: GPUTexture | null = null;
  let refusal: Error | null = null;
  const wanted = () => 4 * width * height;
  const [, check] = guard.check(() => {
    const made = device.createTexture({
      label: "gradus picture",
      size: [width, height],
      format: "rgba8unorm",
      usage: COPY_SRC | COPY_DST | RENDER_ATTACHMENT,
    });
    texture = made;
    try {
      // Straight alpha and sRGB, as canvases give pixels.
      const from = { source: source as GPUCopyExternalImageSource };
      device.queue.copyExternalImageToTexture(from, { texture: made }, [width, height]);
    } catch (error) {
      refusal = error as Error;
    }
  }, wanted);
  const found = refusal as Error | null;
  if (!found) {
    guard.add(check);
    return texture;
  }
  (texture as GPUTexture | null)?.destroy();
  if (found.name === "SecurityError") throw refused(op, name, found);
  return null; // what cannot be drawn either is refused there
}

/** Copies a texture to a tensor. */
function rowsOf(
  op: string,
  device: Device,
  { pool, queue }: GpuSession,
  texture: GPUTexture,
  { width, height }: PictureSource,
  dtype: DType,
): Tensor {
  const bytesPerRow = rowBytes(width);
  const storage = pool.acquire(height * bytesPerRow);
  const entry = queue.submit(`gradus ${op}`, { reads: [], writes: [storage] }, (encoder) => {
    const { buffer, offset } = storage;
    encoder.copyTextureToBuffer({ texture }, { buffer, offset, bytesPerRow }, [width, height]);
  });
  if (entry.failure) {
    pool.release(storage);
    throw entry.failure;
  }
  return holding(device, [height, bytesPerRow], dtype, storage);
}
