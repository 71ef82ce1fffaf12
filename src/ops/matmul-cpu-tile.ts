import type { NumericArray } from "../core/dtype.ts";

/** Counts the rows and the columns of the part of y whose sums `multiplyTile` keeps in registers. */
export const TILE = 3;

/**
 * Copies `lines` rows of a (columns of b), `stride` apart, whose elements are `stepK` apart along k, into
 * panels: TILE lines side by side, k by k, as float64, the last panel padded with zeros.
 */
export function packPanels(
  panels: Float64Array,
  lines: number,
  depth: number,
  data: NumericArray,
  start: number,
  stride: number,
  stepK: number,
): void {
  let to = 0;
  let line = 0;
  for (; line + TILE <= lines; line += TILE) {
    let from = start + line * stride;
    for (let p = 0; p < depth; p++) {
      panels[to] = data[from];
      panels[to + 1] = data[from + stride];
      panels[to + 2] = data[from + 2 * stride];
      to += TILE;
      from += stepK;
    }
  }
  if (line === lines) return;
  for (let p = 0; p < depth; p++) {
    for (let r = 0; r < TILE; r++) {
      panels[to++] = line + r < lines ? data[start + (line + r) * stride + p * stepK] : 0;
    }
  }
}

/**
 * Adds one panel of a times one panel of b to the 3 × 3 tile of y at `startY`. `| 0` tells the compiler
 * that an index is an int32, which saves an overflow check at each load, as a literal 3 saves a look-up.
 */
export function multiplyTile(
  depth: number,
  a: Float64Array,
  startA: number,
  b: Float64Array,
  startB: number,
  y: Float64Array,
  startY: number,
  rowStride: number,
): void {
  let atA = startA | 0;
  let atB = startB | 0;
  const row0 = startY | 0;
  const row1 = (row0 + rowStride) | 0;
  const row2 = (row1 + rowStride) | 0;
  let y00 = y[row0];
  let y01 = y[row0 + 1];
  let y02 = y[row0 + 2];
  let y10 = y[row1];
  let y11 = y[row1 + 1];
  let y12 = y[row1 + 2];
  let y20 = y[row2];
  let y21 = y[row2 + 1];
  let y22 = y[row2 + 2];
  const end = (atA + depth * 3) | 0;
  while (atA < end) {
    const b0 = b[atB];
    const b1 = b[(atB + 1) | 0];
    const b2 = b[(atB + 2) | 0];
    const a0 = a[atA];
    y00 += a0 * b0;
    y01 += a0 * b1;
    y02 += a0 * b2;
    const a1 = a[(atA + 1) | 0];
    y10 += a1 * b0;
    y11 += a1 * b1;
    y12 += a1 * b2;
    const a2 = a[(atA + 2) | 0];
    y20 += a2 * b0;
    y21 += a2 * b1;
    y22 += a2 * b2;
    atA = (atA + 3) | 0;
    atB = (atB + 3) | 0;
  }
  y[row0] = y00;
  y[row0 + 1] = y01;
  y[row0 + 2] = y02;
  y[row1] = y10;
  y[row1 + 1] = y11;
  y[row1 + 2] = y12;
  y[row2] = y20;
  y[row2 + 1] = y21;
  y[row2 + 2] = y22;
}
