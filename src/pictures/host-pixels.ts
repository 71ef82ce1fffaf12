import { describeValue } from "../core/check.ts";
import { DTypeError, GradusError, ShapeError } from "../core/errors.ts";
import { inMemory } from "../core/host-memory.ts";
import { kindOf } from "../core/kind.ts";
import { type PictureSource, type Pixels, refused } from "./sources.ts";

/** What a canvas gives to draw on; its pixels are in main memory. */
export type Pen = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;

/** Makes a canvas from which pixels are read. */
function canvas(op: string, width: number, height: number): Pen {
  const isThere = typeof OffscreenCanvas === "function";
  if (!isThere && typeof document === "undefined") {
    throw new GradusError(
      `${op}: no canvas to read pixels from; expected a page or a worker, or { data, width, height }`,
    );
  }
  const made = isThere
    ? new OffscreenCanvas(width, height)
    : Object.assign(document.createElement("canvas"), { width, height });
  const pen = made.getContext("2d", { willReadFrequently: true }) as Pen | null;
  if (pen) return pen;
  throw new GradusError(
    `${op}: ${width} × ${height} pixels are more than a canvas of this browser holds; expected fewer`,
  );
}

/** Reads what a page can draw, as sRGB with straight alpha. */
function draw(op: string, source: unknown, { name, width, height }: PictureSource): Pixels {
  const pen = canvas(op, width, height);
  try {
    pen.drawImage(source as CanvasImageSource, 0, 0, width, height);
    return pen.getImageData(0, 0, width, height);
  } catch (error) {
    throw refused(op, name, error);
  }
}

/** Says whether pixels are bytes without a sign. */
export function isBytes(data: unknown): data is Uint8Array | Uint8ClampedArray {
  return ["Uint8Array", "Uint8ClampedArray"].includes(kindOf(data));
}

/** The values of a picture on the host, and how many there are of each pixel. */
export function readPixels(
  op: string,
  source: unknown,
  picture: PictureSource,
): { readonly data: ArrayLike<number>; readonly stored: number } {
  const isGiven = picture.kind === "pixels";
  const { data } = isGiven ? (source as Pixels) : draw(op, source, picture);
  const { width, height } = picture;
  if (!isBytes(data)) {
    throw new DTypeError(`${op}: data ${describeValue(data)}; expected bytes, as a Uint8Array`);
  }
  const stored = data.length / (width * height);
  if ([1, 3, 4].includes(stored)) return { data, stored };
  throw new ShapeError(
    `${op}: ${data.length} bytes for ${width} × ${height} pixels; expected 1, 3 or 4 for each`,
  );
}

/** Gives each pixel another number of channels: L = (19595 R + 38470 G + 7471 B + 2¹⁵) / 2¹⁶. */
export function withChannels(
  op: string,
  data: ArrayLike<number>,
  stored: number,
  channels: number,
): Uint8Array {
  const count = data.length / stored;
  const made = inMemory(op, () => new Uint8Array(channels * count));
  if (stored === channels) {
    made.set(data);
    return made;
  }
  const [green, blue] = stored === 1 ? [0, 0] : [1, 2];
  for (let i = 0; i < count; i++) {
    const from = i * stored;
    const [r, g, b] = [data[from], data[from + green], data[from + blue]];
    const to = i * channels;
    if (channels === 1) made[to] = luma(r, g, b);
    else {
      made[to] = r;
      made[to + 1] = g;
      made[to + 2] = b;
      if (channels === 4) made[to + 3] = 255;
    }
  }
  return made;
}

/** Weights of red, green and blue in 2⁻¹⁶, by ITU-R BT.601. */
export const LUMA = [19595, 38470, 7471] as const;

function luma(r: number, g: number, b: number): number {
  return (LUMA[0] * r + LUMA[1] * g + LUMA[2] * b + 0x8000) >> 16;
}
