/*
 * Matrix multiplication in float64, y[m, n] = Σ_k a[m, k] · b[k, n].
 *
 * Who owns what, from the outside in:
 *   multiplyFloats   walks y in blocks of BLOCK_M × BLOCK_N, and for each block k in runs of BLOCK_K;
 *   packPanels       copies a block of a (or b) into panels: TILE rows of a (columns of b) side by side,
 *                    k by k, as float64 and padded with zeros, so that nothing below sees an input's
 *                    strides, element type or odd sizes;
 *   multiplyPanels   walks a block of y in tiles of TILE × TILE, one panel of a and one of b each;
 *   multiplyTile     keeps the nine sums of one tile in registers while k runs;
 *   storeBlock       writes the block's real part to y, rounding to y's type once.
 *
 * A tile is 3 × 3 because nine sums, three factors of b and one of a fit into the 16 registers that a
 * CPU has for floats; 4 × 4 spills (bench/kernels/README.md has the figures).
 */

/** Holds the elements of a matrix operand or result, one array type for each dtype that multiplies. */
export type NumericArray = Float32Array | Float64Array | Int32Array | Uint32Array;

/** Places element [i, j] of a matrix at `data[offset + i · rowStride + j · colStride]`. */
export interface MatrixView<T> {
  data: T;
  offset: number;
  rowStride: number;
  colStride: number;
}

const TILE = 3;
const BLOCK_M = 96;
const BLOCK_N = 96;
const BLOCK_K = 264;

// Reused by every call; nothing below calls out, so that no two calls can meet in them.
const panelsA = /* @__PURE__ */ new Float64Array(BLOCK_M * BLOCK_K);
const panelsB = /* @__PURE__ */ new Float64Array(BLOCK_N * BLOCK_K);
const block = /* @__PURE__ */ new Float64Array(BLOCK_M * BLOCK_N);

/**
 * Multiplies two strided matrices, y[m, n] = Σ_k a[m, k] · b[k, n], and writes y row-major from
 * `y[yOffset]`. Strides may be 0 (broadcast) or negative. Floats are summed in float64 and rounded to
 * y's type at the end, integers are exact modulo 2³²; k = 0 gives zeros. y must not overlap a or b.
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
  const exact = y instanceof Int32Array || y instanceof Uint32Array;
  (exact ? multiplyIntegers : multiplyFloats)(m, n, k, a, b, y, yOffset);
}

function multiplyIntegers(
  m: number,
  n: number,
  k: number,
  a: MatrixView<NumericArray>,
  b: MatrixView<NumericArray>,
  y: NumericArray,
  yOffset: number,
): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let atA = a.offset + i * a.rowStride;
      let atB = b.offset + j * b.colStride;
      let sum = 0;
      for (let p = 0; p < k; p++) {
        sum = (sum + Math.imul(a.data[atA], b.data[atB])) | 0;
        atA += a.colStride;
        atB += b.rowStride;
      }
      y[yOffset + i * n + j] = sum;
    }
  }
}

function multiplyFloats(
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
      block.fill(0);
      for (let p = 0; p < k; p += BLOCK_K) {
        const depth = Math.min(BLOCK_K, k - p);
        const startA = a.offset + i * a.rowStride + p * a.colStride;
        const startB = b.offset + p * b.rowStride + j * b.colStride;
        packPanels(panelsA, rows, depth, a.data, startA, a.rowStride, a.colStride);
        packPanels(panelsB, cols, depth, b.data, startB, b.colStride, b.rowStride);
        multiplyPanels(rows, cols, depth);
      }
      storeBlock(rows, cols, y, yOffset + i * n + j, n);
    }
  }
}

/** Packs `lines` rows of a (columns of b), `stride` apart, whose k-th elements are `stepK` apart. */
function packPanels(
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

function multiplyPanels(rows: number, cols: number, depth: number): void {
  for (let i = 0; i < rows; i += TILE) {
    for (let j = 0; j < cols; j += TILE) {
      multiplyTile(depth, panelsA, i * depth, panelsB, j * depth, block, i * BLOCK_N + j);
    }
  }
}

// `| 0` tells the compiler that an index is an int32, which saves an overflow check at each load.
function multiplyTile(
  depth: number,
  a: Float64Array,
  startA: number,
  b: Float64Array,
  startB: number,
  y: Float64Array,
  startY: number,
): void {
  let atA = startA | 0;
  let atB = startB | 0;
  const row0 = startY | 0;
  const row1 = (row0 + BLOCK_N) | 0;
  const row2 = (row1 + BLOCK_N) | 0;
  let [y00, y01, y02] = [y[row0], y[row0 + 1], y[row0 + 2]];
  let [y10, y11, y12] = [y[row1], y[row1 + 1], y[row1 + 2]];
  let [y20, y21, y22] = [y[row2], y[row2 + 1], y[row2 + 2]];
  const end = (atA + depth * TILE) | 0;
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
    atA = (atA + TILE) | 0;
    atB = (atB + TILE) | 0;
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

function storeBlock(
  rows: number,
  cols: number,
  y: NumericArray,
  start: number,
  rowStride: number,
): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) y[start + i * rowStride + j] = block[i * BLOCK_N + j];
  }
}
