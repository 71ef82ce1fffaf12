import type { NumericArray } from "../../core/dtype.ts";

/** Counts the rows and the columns of the part of y whose sums `multiplyTile` keeps in registers. */
export const TILE = 3;
/** How many rows of a, columns of b and steps along k one block has at most. */
export const BLOCK_M = 132;
export const BLOCK_N = 132;
export const BLOCK_K = 264;

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
  panels.fill(0, to, to + (line < lines ? TILE * depth : 0));
  for (let r = 0; line + r < lines; r++) {
    const from = start + (line + r) * stride;
    for (let p = 0; p < depth; p++) panels[to + TILE * p + r] = data[from + p * stepK];
  }
}

/** Where one block of each operand lies while it is multiplied, and what multiplies its tiles. */
interface Tiles {
  /** One block of a, in panels. */
  readonly panelsA: Float64Array;
  /** One block of b, in panels. */
  readonly panelsB: Float64Array;
  /** One block of y, row-major. */
  readonly block: Float64Array;
  /**
   * Adds the panel of a at `startA` times the one of b at `startB` to the tile of `block` at `startY`,
   * where rows are `width` apart.
   */
  multiplyTile(depth: number, startA: number, startB: number, startY: number, width: number): void;
}

/*
 * Four things here are for the compiler (V8's; bench/kernels/README.md has the figures):
 * the arrays are constants of a function, not parameters, nor constants of the module, which bundlers
 * make variables, so that their addresses and lengths are known; `| 0` says that an index is an int32,
 * which saves an overflow check at each load; a literal 3 saves a look-up; and a store to `fence` ends
 * what may be reordered, as else all nine products are computed before the first sum, and there are
 * not registers enough for both.
 */
function makeTiles(): Tiles {
  const panelsA = new Float64Array(BLOCK_M * BLOCK_K);
  const panelsB = new Float64Array(BLOCK_N * BLOCK_K);
  const block = new Float64Array(BLOCK_M * BLOCK_N);
  const fence = new Int32Array(32); // only arrays of more than 64 bytes have a fixed address

  function multiplyTile(
    depth: number,
    startA: number,
    startB: number,
    startY: number,
    width: number,
  ): void {
    let atA = startA | 0;
    let atB = startB | 0;
    const row0 = startY | 0;
    const row1 = (row0 + width) | 0;
    const row2 = (row1 + width) | 0;
    let y00 = block[row0];
    let y01 = block[row0 + 1];
    let y02 = block[row0 + 2];
    let y10 = block[row1];
    let y11 = block[row1 + 1];
    let y12 = block[row1 + 2];
    let y20 = block[row2];
    let y21 = block[row2 + 1];
    let y22 = block[row2 + 2];
    const end = (atA + depth * 3) | 0;
    while (atA < end) {
      const b0 = panelsB[atB];
      const b1 = panelsB[(atB + 1) | 0];
      const b2 = panelsB[(atB + 2) | 0];
      const a0 = panelsA[atA];
      y00 += a0 * b0;
      y01 += a0 * b1;
      y02 += a0 * b2;
      fence[0] = 0;
      const a1 = panelsA[(atA + 1) | 0];
      y10 += a1 * b0;
      y11 += a1 * b1;
      y12 += a1 * b2;
      fence[0] = 0;
      const a2 = panelsA[(atA + 2) | 0];
      y20 += a2 * b0;
      y21 += a2 * b1;
      y22 += a2 * b2;
      atA = (atA + 3) | 0;
      atB = (atB + 3) | 0;
    }
    block[row0] = y00;
    block[row0 + 1] = y01;
    block[row0 + 2] = y02;
    block[row1] = y10;
    block[row1 + 1] = y11;
    block[row1 + 2] = y12;
    block[row2] = y20;
    block[row2 + 1] = y21;
    block[row2 + 2] = y22;
  }

  return { panelsA, panelsB, block, multiplyTile };
}

/** Reused by every product; nothing below calls out, so that no two products can meet in them. */
export const tiles: Tiles = /* @__PURE__ */ makeTiles();
