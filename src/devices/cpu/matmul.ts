/*
 * Matrix multiplication in float64, y[m, n] = Σ_k a[m, k] · b[k, n].
 *
 * Who owns what, from the outside in:
 *   multiplyMatrices walks y in blocks of BLOCK_M × BLOCK_N, and for each block k in runs of BLOCK_K;
 *   packPanels       copies a block of a (or b) into panels: TILE rows of a (columns of b) side by side,
 *                    k by k, as float64 and padded with zeros, so that nothing below sees an input's
 *                    strides, element type or odd sizes;
 *   multiplyPanels   walks a block of y in tiles of TILE × TILE, one panel of a and one of b each;
 *   multiplyTile     keeps the nine sums of one tile in registers while k runs;
 *   storeBlock       writes the block's real part to y, rounding to y's type once.
 *
 * A tile is 3 × 3 because nine sums, three factors of b and the three products of one row fit into the
 * 16 registers that a CPU has for floats (bench/kernels/README.md has the figures).
 */

import type { NumericArray } from "../../core/dtype.ts";
import type { Strided } from "../../core/strided.ts";
import { BLOCK_K, BLOCK_M, BLOCK_N, packPanels, TILE, tiles } from "./matmul-tile.ts";

const { panelsA, panelsB, block, multiplyTile } = tiles;

/** Places element [i, j] of a matrix at `data[offset + i · rowStride + j · colStride]`. */
export interface MatrixView<T> {
  data: T;
  offset: number;
  rowStride: number;
  colStride: number;
}

/** Multiplies matrices, or stacks of such, to the bits of `matmul`'s own form. */
export function multiplyStacks(y: Strided, [a, b]: readonly Strided[]): true {
  const [m, n] = y.shape.slice(-2);
  const k = a.shape[a.shape.length - 1];
  const batch = y.shape.length > 2 ? y.shape[0] : 1;
  for (let i = 0; i < batch; i++) {
    multiplyMatrices(m, n, k, matrix(a, i), matrix(b, i), y.data, i * m * n);
  }
  return true;
}

function matrix({ data, offset, strides }: Strided, i: number): MatrixView<NumericArray> {
  const last = strides.length - 1;
  const [rowStride, colStride] = [strides[last - 1], strides[last]];
  return { data, offset: offset + i * strides[0], rowStride, colStride };
}

/**
 * Multiplies two strided matrices, y[m, n] = Σ_k a[m, k] · b[k, n], and writes y row-major from
 * `y[yOffset]`. Strides may be 0 (broadcast) or negative. Products are summed in float64 and rounded to
 * y's type at the end; k = 0 gives zeros. y must not overlap a or b.
 */
export function multiplyMatrices(
  m: number,
  n: number,
  k: number,
  a: MatrixView<NumericArray>,
  b: MatrixView<NumericArray>,
  y: NumericArray,
  yOffset: number,
): void {
  for (let i = 0; i < m; i += BLOCK_M) {
    const rows = Math.min(BLOCK_M, m - i);
    for (let j = 0; j < n; j += BLOCK_N) {
      const cols = Math.min(BLOCK_N, n - j);
      const width = Math.ceil(cols / TILE) * TILE; // of a row of the block
      block.fill(0, 0, Math.ceil(rows / TILE) * TILE * width);
      for (let p = 0; p < k; p += BLOCK_K) {
        const depth = Math.min(BLOCK_K, k - p);
        const startA = a.offset + i * a.rowStride + p * a.colStride;
        const startB = b.offset + p * b.rowStride + j * b.colStride;
        packPanels(panelsA, rows, depth, a.data, startA, a.rowStride, a.colStride);
        packPanels(panelsB, cols, depth, b.data, startB, b.colStride, b.rowStride);
        multiplyPanels(rows, width, depth);
      }
      storeBlock(rows, cols, width, y, yOffset + i * n + j, n);
    }
  }
}

function multiplyPanels(rows: number, width: number, depth: number): void {
  for (let i = 0; i < rows; i += TILE) {
    for (let j = 0; j < width; j += TILE) {
      multiplyTile(depth, i * depth, j * depth, i * width + j, width);
    }
  }
}

function storeBlock(
  rows: number,
  cols: number,
  width: number,
  y: NumericArray,
  start: number,
  rowStride: number,
): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) y[start + i * rowStride + j] = block[i * width + j];
  }
}
