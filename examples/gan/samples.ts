import { encode } from "fast-png";
import { compile, randomNormal, reshape, type Tensor, tensor } from "gradus";
import { CLASSES } from "./network.ts";
import type { Gan } from "./training.ts";

const SIDE = 28;
const PIXELS = SIDE * SIDE;
/** Images made at a time, as many of each class. */
const MOST = 100;

/** Some images. */
export interface Samples {
  /** `[n, 784]` in [0, 1]. */
  readonly images: Float32Array<ArrayBuffer>;
  /** What class the generator was told, from 0 to 9 over and over. */
  readonly labels: Int32Array<ArrayBuffer>;
}

/** Makes images by a generator, some hundreds of them, from numbers that the seed gives. */
export async function makeSamples(
  { generator, options }: Gan,
  { hundreds, seed }: { hundreds: number; seed: number },
): Promise<Samples> {
  const make = compile((latent: Tensor, wanted: Tensor) =>
    reshape(generator.call(latent, wanted), [MOST, PIXELS]).add(1).mul(0.5),
  );
  const images = new Float32Array(hundreds * MOST * PIXELS);
  const labels = Int32Array.from({ length: hundreds * MOST }, (_, i) => i % CLASSES);
  using wanted = tensor(labels.subarray(0, MOST));
  using latent = randomNormal([hundreds * MOST, options.latent], { seed });
  const numbers = await latent.data();
  for (let i = 0; i < hundreds; i++) {
    const from = i * MOST * options.latent;
    using part = tensor(numbers.slice(from, from + MOST * options.latent), {
      shape: [MOST, options.latent],
    });
    using made = await make(part, wanted);
    images.set(await made.data(), i * MOST * PIXELS);
  }
  make.dispose();
  return { images, labels };
}

/** Gives a PNG file with images side by side, `columns` in a row. */
export function grid(images: Float32Array, columns: number): Uint8Array<ArrayBuffer> {
  const rows = Math.floor(images.length / PIXELS / columns);
  const [width, height] = [columns * SIDE, rows * SIDE];
  const data = Uint8Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    const image = Math.floor(y / SIDE) * columns + Math.floor(x / SIDE);
    return Math.round(255 * images[image * PIXELS + (y % SIDE) * SIDE + (x % SIDE)]);
  });
  return Uint8Array.from(encode({ width, height, data, channels: 1, depth: 8 }));
}

/** Shades of four pixels, 2 × 2, from dark to bright. */
const SHADES = " .:+#@";

/** Gives images side by side as lines of text, a letter for 2 × 2 pixels. */
export function asText(images: Float32Array, columns: number): string {
  const line = (row: number) =>
    Array.from({ length: columns }, (_, image) =>
      Array.from({ length: SIDE / 2 }, (_, column) => {
        const at = (dy: number, dx: number) =>
          images[image * PIXELS + (2 * row + dy) * SIDE + 2 * column + dx];
        const mean = (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4;
        return SHADES[Math.min(SHADES.length - 1, Math.floor(mean * SHADES.length))];
      }).join(""),
    ).join("");
  return Array.from({ length: SIDE / 2 }, (_, row) => line(row).trimEnd()).join("\n");
}
