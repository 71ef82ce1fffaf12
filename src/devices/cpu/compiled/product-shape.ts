import type { Share } from "./blocks.ts";

/** Where a matrix lies: in elements, from a pointer on. */
export interface MatrixLayout {
  readonly offset: number;
  /** Strides of batch, row and column, from 0 on. */
  readonly strides: readonly number[];
}

/** Products `[batch, m, k] · [batch, k, n]`. */
export interface ProductShape {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Four neighbours of a row of y, or fewer at its end, when their sums are known. */
export interface TileVector {
  /** Locals with batch, row and column of the tile's first element. */
  readonly at: readonly [batch: number, row: number, column: number];
  /** How many rows and columns from there it is. */
  readonly down: number;
  readonly right: number;
  /** The local with the sums. */
  readonly sums: number;
  readonly lanes: number;
}

/** Sums of the parts of k before. */
export interface PartialSums {
  /** The local with the address. */
  readonly at: number;
  /** Whether nothing is left to add, and they are results; else the new sums go there. */
  readonly isWhole: boolean;
}

/** What a product is made of. */
export interface ProductOptions {
  readonly shape: ProductShape;
  readonly a: MatrixLayout;
  readonly b: MatrixLayout;
  /** Whether there is a multiply-add. */
  readonly isFused: boolean;
  /** A thread's share of the loop that `sharedLoop` names, if it is shared out. */
  readonly share?: Share;
  /** Locals with the addresses of a, b and memory for `scratchBytes`. */
  readonly pointers: { readonly a: number; readonly b: number; readonly scratch: number };
  /** Where k is a part of what is summed: sums begin with what lies in memory for `partialBytes`. */
  readonly partial?: PartialSums;
  /** Writes what stores a tile's vectors. */
  store(tile: readonly TileVector[]): void;
}

/** Along k, so much of b's panel at once stays in a first-level cache. */
export const PANEL_DEPTH = 512;
/** Sums that are a little longer are not cut. */
export const UNCUT_DEPTH = 1024;
/** From so many rows on, it pays to copy a panel of b whose rows lie far apart. */
const MANY_ROWS = 24;
/** Rows of b that are no longer than this lie close to each other, in elements. */
const NEAR = 64;

/** Columns of a panel. */
export const PANEL_WIDTH = 8;
/** Bytes of a tile's sums. */
export const TILE_BYTES = 128;

/** Bytes that a product wants for its own use. */
export function scratchBytes({ m, k }: ProductShape): number {
  const depth = k > UNCUT_DEPTH ? PANEL_DEPTH : k;
  return 4 * PANEL_WIDTH * (depth + (k > UNCUT_DEPTH ? m + 8 : 0));
}

/** The loops of a product that threads may share. */
export type ProductLoop = "batch" | "columns" | "rows";

/** With so many panels, columns are shared out: each panel of b is copied once then. */
const MANY_PANELS = 8;

/** The loop of a product that threads share, and in how many units. */
export function sharedLoop(
  shape: ProductShape,
  b: MatrixLayout,
): { name: ProductLoop; units: number } {
  const { batch, m, n } = shape;
  if (batch >= MANY_PANELS) return { name: "batch", units: batch };
  const columns = Math.ceil(n / PANEL_WIDTH);
  const rows = Math.ceil(m / unitRows(shape, b));
  const isByColumns = columns >= Math.min(MANY_PANELS, rows);
  return isByColumns ? { name: "columns", units: columns } : { name: "rows", units: rows };
}

/** Rows of a unit, where rows are shared out: so many that copying panels of b weighs little. */
export function unitRows(shape: ProductShape, b: MatrixLayout): number {
  return isDirect(shape, b) ? 8 : 64;
}

/** Rows of a tile so many columns wide, of eight vectors. */
export function tileHeight(width: number): number {
  return 8 / Math.ceil(width / 4);
}

/** Whether b is read where it lies. */
export function isDirect({ m }: ProductShape, { offset, strides }: MatrixLayout): boolean {
  const [batch, row, column] = strides;
  const isAligned = row % 4 === 0 && batch % 4 === 0 && offset % 4 === 0;
  return column === 1 && row > 0 && (m < MANY_ROWS || (isAligned && row <= NEAR));
}

/** Bytes of all sums of a product, in the order of its tiles. */
export function partialBytes({ m, n }: Pick<ProductShape, "m" | "n">): number {
  return TILE_BYTES * Math.ceil(n / PANEL_WIDTH) * Math.ceil((m + 4) / 4);
}
