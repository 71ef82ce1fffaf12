/** Sizes of an MNIST image: 28 × 28 with the digit in a box of 20 × 20. */
const SIDE = 28;
const BOX = 20;
/** Where the centre of mass comes to lie: in the middle of pixel (14, 14), as in MNIST's files. */
const CENTRE = 14.5;

interface Ink {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Centre of mass. */
  readonly x: number;
  readonly y: number;
}

/**
 * Makes an MNIST-like image of a drawing: scaled with its proportions into a 20 × 20 box,
 * antialiased by averaging areas, and centred by mass on pixel (14, 14) of 28 × 28.
 * Source: LeCun, "The MNIST database of handwritten digits".
 * @param ink `[width · height]`, row-major, 0 (paper) to 1 (ink).
 * @returns `[784]`, 0 to 1, or null when there is no ink.
 */
export function toMnist(ink: Float32Array, width: number, height: number): Float32Array | null {
  const found = measure(ink, width, height);
  if (!found) return null;
  const scale = Math.max(found.width, found.height) / BOX;
  const columns = coverage(found.x, scale, width);
  const rows = coverage(found.y, scale, height);
  const image = new Float32Array(SIDE * SIDE);
  for (let r = 0; r < SIDE; r++) {
    for (let c = 0; c < SIDE; c++) {
      let sum = 0;
      for (const [y, high] of rows[r]) {
        for (const [x, wide] of columns[c]) sum += ink[y * width + x] * high * wide;
      }
      image[r * SIDE + c] = Math.min(1, sum / scale ** 2);
    }
  }
  return image;
}

/** The box around the ink, and its centre of mass. */
function measure(ink: Float32Array, width: number, height: number): Ink | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  let [mass, x, y] = [0, 0, 0];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const value = ink[row * width + column];
      if (!(value > 0)) continue;
      left = Math.min(left, column);
      right = Math.max(right, column);
      top = Math.min(top, row);
      bottom = Math.max(bottom, row);
      mass += value;
      x += value * (column + 0.5);
      y += value * (row + 0.5);
    }
  }
  if (mass === 0) return null;
  return { left, top, width: right - left + 1, height: bottom - top + 1, x: x / mass, y: y / mass };
}

/** For each output pixel: which source pixels it covers along one axis, and how much of each. */
function coverage(centre: number, scale: number, size: number): [number, number][][] {
  return Array.from({ length: SIDE }, (_, i) => {
    const from = Math.max(0, centre + (i - CENTRE) * scale);
    const to = Math.min(size, centre + (i + 1 - CENTRE) * scale);
    const parts: [number, number][] = [];
    for (let p = Math.floor(from); p < to; p++) {
      parts.push([p, Math.min(p + 1, to) - Math.max(p, from)]);
    }
    return parts;
  });
}
