/** How a picture of another shape fills the one that is wanted: the words of CSS's `object-fit`. */
export type PictureFit = "cover" | "contain" | "fill";

/** What is to be decoded, and to what size. */
export interface DecodeJob {
  readonly blob: Blob;
  readonly width: number;
  readonly height: number;
  readonly fit: PictureFit;
}

/**
 * Decodes a picture to RGBA bytes of a size, as sRGB with straight alpha, upright as its EXIF data say. It uses
 * nothing around itself: workers run its text.
 */
export async function decodePicture({
  blob,
  width,
  height,
  fit,
}: DecodeJob): Promise<Uint8ClampedArray<ArrayBuffer>> {
  const whole = await createImageBitmap(blob);
  const [x, y] = [width / whole.width, height / whole.height];
  const one = fit === "cover" ? Math.max(x, y) : Math.min(x, y);
  const [scaleX, scaleY] = fit === "fill" ? [x, y] : [one, one];
  const within = (size: number, most: number) => Math.min(most, Math.max(1, Math.round(size)));
  // What is taken of the picture, in its own pixels, and how large that becomes.
  const [w, h] = [within(width / scaleX, whole.width), within(height / scaleY, whole.height)];
  const [toW, toH] = [within(w * scaleX, width), within(h * scaleY, height)];
  const isKept = w === toW && h === toH;
  const part = await createImageBitmap(
    whole,
    Math.floor((whole.width - w) / 2),
    Math.floor((whole.height - h) / 2),
    w,
    h,
    isKept ? {} : { resizeWidth: toW, resizeHeight: toH, resizeQuality: "high" },
  );
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d", {
    willReadFrequently: true,
  }) as OffscreenCanvasRenderingContext2D;
  pen.drawImage(part, Math.floor((width - toW) / 2), Math.floor((height - toH) / 2));
  whole.close();
  part.close();
  return pen.getImageData(0, 0, width, height).data as Uint8ClampedArray<ArrayBuffer>;
}
