import { type Affine, PIXELS, resample, SIDE } from "../embeddings/distorted.ts";

/**
 * Sets an image upright and its middle in the middle: slants it so that x and y of its ink do not
 * correlate, as was done with MNIST in LeCun et al. 1998, "Gradient-based learning applied to
 * document recognition", section III.A.
 * @param source 784 numbers, ink 255.
 * @param target takes 784 numbers from 0 to 1.
 */
export function deslant(source: ArrayLike<number>, target: Float32Array): void {
  let [ink, x, y, xy, yy] = [0, 0, 0, 0, 0];
  for (let i = 0; i < PIXELS; i++) {
    ink += source[i];
    x += source[i] * (i % SIDE);
    y += source[i] * Math.floor(i / SIDE);
  }
  if (ink === 0) {
    target.fill(0);
    return;
  }
  const [meanX, meanY] = [x / ink, y / ink];
  for (let i = 0; i < PIXELS; i++) {
    const [dx, dy] = [(i % SIDE) - meanX, Math.floor(i / SIDE) - meanY];
    xy += source[i] * dx * dy;
    yy += source[i] * dy * dy;
  }
  // By how much a row is moved for each below the middle: cov(x, y) / var(y), at most a pixel.
  const slope = yy > 0 ? Math.min(1, Math.max(-1, xy / yy)) : 0;
  const middle = (SIDE - 1) / 2;
  const matrix: Affine = [1, slope, meanX - middle - slope * middle, 0, 1, meanY - middle];
  resample(source, matrix, target);
}

/** Sets images upright, bytes one after the other. */
export function deslantAll(pixels: Uint8Array): Uint8Array {
  const upright = new Uint8Array(pixels.length);
  const image = new Float32Array(PIXELS);
  for (let at = 0; at < pixels.length; at += PIXELS) {
    deslant(pixels.subarray(at, at + PIXELS), image);
    for (let i = 0; i < PIXELS; i++) upright[at + i] = Math.round(255 * image[i]);
  }
  return upright;
}
