import { foldIn, type Key, keyFromSeed, randomUniform, tensor } from "gradus";
import { Batch, type Dataset } from "gradus/data";

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;

/** How far a distortion goes at most, either way. */
export interface Distortion {
  /** In radians. */
  readonly turn: number;
  /** What lengths along each axis grow or shrink by, a share of 1. */
  readonly stretch: number;
  /** By how much of its height a column of pixels is moved, as slanted writing does. */
  readonly slant: number;
  /** In pixels along each axis. */
  readonly shift: number;
}

/** Numbers drawn for one image. */
const DRAWN = 6;

/**
 * Images of 28 × 28 that are turned, stretched, slanted and shifted at random each time they are
 * drawn. The batches depend on the seed and on how many were drawn before.
 */
export class DistortedImages implements Dataset<Batch> {
  readonly size: number;
  readonly #key: Key;
  #drawn = 0;

  /**
   * @param pixels bytes of all images, one after the other.
   * @param labels the class of each.
   */
  constructor(
    readonly pixels: Uint8Array,
    readonly labels: Int32Array,
    readonly distortion: Distortion,
    seed: number,
  ) {
    this.size = labels.length;
    this.#key = keyFromSeed(seed);
  }

  /** Gives distorted examples by their numbers: f32 images `[n, 784]` in [0, 1], i32 labels. */
  async batch(indices: Uint32Array): Promise<Batch> {
    using numbers = randomUniform([indices.length * DRAWN], {
      low: -1,
      key: foldIn(this.#key, this.#drawn++),
    });
    const drawn = await numbers.data();
    const images = new Float32Array(indices.length * PIXELS);
    for (const [i, index] of indices.entries()) {
      const source = this.pixels.subarray(index * PIXELS, (index + 1) * PIXELS);
      const matrix = inverseOf(drawn.slice(i * DRAWN, (i + 1) * DRAWN), this.distortion);
      resample(source, matrix, images.subarray(i * PIXELS, (i + 1) * PIXELS));
    }
    const labels = Int32Array.from(indices, (index) => this.labels[index]);
    return new Batch(tensor(images, { shape: [indices.length, PIXELS] }), tensor(labels));
  }
}

/** a, b, c, d, e, f: pixel (x, y) of the result shows (ax + by + c, dx + ey + f) of the source. */
export type Affine = readonly [number, number, number, number, number, number];

/** The map back from a distorted image, about the middle, for numbers from −1 to 1. */
function inverseOf(u: ArrayLike<number>, { turn, stretch, slant, shift }: Distortion): Affine {
  const [cos, sin] = [Math.cos(u[0] * turn), Math.sin(u[0] * turn)];
  const [wide, high] = [1 + u[1] * stretch, 1 + u[2] * stretch];
  const lean = u[3] * slant;
  // Turns, then slants, then stretches.
  const [a, b] = [(cos + lean * sin) / wide, (-sin + lean * cos) / high];
  const [d, e] = [sin / wide, cos / high];
  const [x, y] = [(SIDE - 1) / 2 + u[4] * shift, (SIDE - 1) / 2 + u[5] * shift];
  return [a, b, (SIDE - 1) / 2 - a * x - b * y, d, e, (SIDE - 1) / 2 - d * x - e * y];
}

/** Writes a distorted image, each pixel in [0, 1] weighted between its four neighbours. */
export function resample(
  source: ArrayLike<number>,
  [a, b, c, d, e, f]: Affine,
  target: Float32Array,
): void {
  const at = (x: number, y: number) =>
    x >= 0 && x < SIDE && y >= 0 && y < SIDE ? source[y * SIDE + x] : 0;
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const x = a * column + b * row + c;
      const y = d * column + e * row + f;
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [right, bottom] = [x - left, y - top];
      const upper = at(left, top) * (1 - right) + at(left + 1, top) * right;
      const lower = at(left, top + 1) * (1 - right) + at(left + 1, top + 1) * right;
      target[row * SIDE + column] = (upper * (1 - bottom) + lower * bottom) / 255;
    }
  }
}

/** Writes an image mirrored, upside down or with its axes exchanged, by the bits of `way`. */
export function orient(source: ArrayLike<number>, way: number, target: Uint8Array): void {
  for (let i = 0; i < PIXELS; i++) {
    const [row, column] = [Math.floor(i / SIDE), i % SIDE];
    const x = way & 1 ? SIDE - 1 - column : column;
    const y = way & 2 ? SIDE - 1 - row : row;
    target[i] = source[way & 4 ? x * SIDE + y : y * SIDE + x];
  }
}
