import { checkEach, describeValue, isInteger } from "../core/check.ts";
import { FormatError, GradusError, ShapeError } from "../core/errors.ts";

/** The values of a picture, as an `ImageData` has them: rows of bytes from the upper left on. */
export interface Pixels {
  /** `height · width` pixels of red, green, blue and alpha, or of 1 or 3 numbers. */
  readonly data: Uint8ClampedArray | Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A canvas of a page, or an `OffscreenCanvas`. */
export interface CanvasLike {
  width: number;
  height: number;
  /** Gives what draws on it. */
  getContext(kind: "2d"): unknown;
}

/** An `ImageBitmap`. */
export interface BitmapLike {
  readonly width: number;
  readonly height: number;
  /** Frees its pixels. */
  close(): void;
}

/** An image of a page, `<img>`. */
export interface ImageLike {
  readonly naturalWidth: number;
  readonly naturalHeight: number;
}

/** A video of a page, `<video>`: its present frame. */
export interface VideoLike {
  readonly videoWidth: number;
  readonly videoHeight: number;
  readonly readyState: number;
}

/** A `VideoFrame` of WebCodecs. */
export interface VideoFrameLike {
  readonly displayWidth: number;
  readonly displayHeight: number;
}

/** A `GPUTexture` of the GPUDevice that the tensors' device works with. */
export interface TextureLike {
  readonly width: number;
  readonly height: number;
  readonly format: string;
  readonly usage: number;
}

/** What `fromPixels` takes. */
export type PixelSource =
  | Pixels
  | CanvasLike
  | BitmapLike
  | ImageLike
  | VideoLike
  | VideoFrameLike
  | TextureLike;

/** What kind of source it is, how messages call it, and its size in pixels. */
export interface PictureSource {
  readonly kind: "pixels" | "drawn" | "texture";
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

/** The properties by which sources are told apart, and those with their sizes. */
const KINDS = [
  ["data", "pixels", "pixels", "width", "height"],
  ["videoWidth", "drawn", "a video", "videoWidth", "videoHeight"],
  ["naturalWidth", "drawn", "an image", "naturalWidth", "naturalHeight"],
  ["displayWidth", "drawn", "a VideoFrame", "displayWidth", "displayHeight"],
  ["createView", "texture", "a GPUTexture", "width", "height"],
  ["getContext", "drawn", "a canvas", "width", "height"],
  ["close", "drawn", "an ImageBitmap", "width", "height"],
] as const;

/** HTMLMediaElement.HAVE_CURRENT_DATA: there is a frame. */
const CURRENT_DATA = 2;

/** Why a source that a page would draw has no pixels, by its name. */
const EMPTY: Readonly<Record<string, string>> = {
  "a video": "a video with a frame. Await its event loadeddata",
  "an image": "one that is loaded. Await its decode()",
  "a VideoFrame": "one that is not closed",
  "an ImageBitmap": "one that is neither closed nor transferred",
};

/**
 * Tells what a source is, and how large.
 * @throws GradusError for what is none; ShapeError for one without pixels, or with other data than
 * its size says.
 */
export function describeSource(op: string, source: unknown): PictureSource {
  const isObject = typeof source === "object" && source !== null;
  const row = isObject && KINDS.find(([property]) => property in source);
  if (!row) {
    throw new GradusError(
      `${op}: source ${describeValue(source)}; expected a canvas, an ImageBitmap, an image, a ` +
        "video, a VideoFrame, a GPUTexture, an ImageData or { data, width, height }",
    );
  }
  const [, kind, name, ...sides] = row;
  const found = source as unknown as Record<string, number>;
  const [width, height] = sides.map((side) => found[side]);
  const isEmpty = name === "a video" && found.readyState < CURRENT_DATA;
  if (isEmpty || width === 0 || height === 0) {
    const expected = EMPTY[name] ?? "at least one pixel";
    throw new ShapeError(`${op}: ${name} of ${width} × ${height} pixels; expected ${expected}`);
  }
  checkEach(op, { width, height }, (n) => isInteger(n, 1), "an integer from 1", ShapeError);
  return { kind, name, width, height };
}

/** Throws a `GradusError` that says of what browsers refuse to show, in place of what they threw. */
export function refused(op: string, name: string, error: unknown): GradusError {
  const { name: reason, message } = error as Error;
  if (reason === "SecurityError") {
    return new GradusError(
      `${op}: ${name} with what comes from another origin; expected pixels that the page may read. ` +
        'Load it with crossOrigin = "anonymous", from a server that allows that',
    );
  }
  return new FormatError(
    `${op}: ${name} that the browser does not draw (${message}); expected pixels`,
  );
}
