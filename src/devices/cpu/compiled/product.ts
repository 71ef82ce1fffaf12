/*
 * Products of matrices, y[m, n] = Σ_k a[m, k] · b[k, n], in float32.
 *
 * y is walked in panels of eight columns, and each panel in tiles of four rows: eight vectors of sums
 * stay in registers while k runs. A rest of up to four columns has tiles of eight rows and one vector.
 * Each sum is added up in the order of k, and where k is long, in parts. A panel of b is copied first, row by
 * row, unless its rows lie aligned and close to each other; a is read in place, one number for four
 * lanes. Sizes and strides are literals, and the loop over k is not unrolled: that suits V8's
 * registers (bench/kernels/README.md has the figures).
 */
import { type FunctionWriter, I32, V128 } from "./assembler.ts";
import { type Blocks, type Share, writeBlocks } from "./blocks.ts";
import { ADD, MEMORY_FILL, MULTIPLY, NOT_EQUAL } from "./instructions.ts";
import * as simd from "./simd.ts";

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
const DEPTH = 512;
/** Sums that are a little longer are not cut. */
const LONGEST = 1024;
/** From so many rows on, it pays to copy a panel of b whose rows lie far apart. */
const MANY_ROWS = 24;
/** Rows of b that are no longer than this lie close to each other, in elements. */
const NEAR = 64;

const WIDTH = 8;
/** Bytes of a tile's sums. */
export const TILE_BYTES = 128;

/** So much of k of a panel so many columns wide. */
interface PanelPart {
  readonly width: number;
  readonly depth: number;
  /** The local that says where it begins, of more than one. */
  readonly first?: number;
  /** Whether others follow. */
  readonly isOpen?: boolean;
}

/** Bytes that a product wants for its own use. */
export function scratchBytes({ m, k }: ProductShape): number {
  const depth = k > LONGEST ? DEPTH : k;
  return 4 * WIDTH * (depth + (k > LONGEST ? m + 8 : 0));
}

/** The loops of a product that threads may share. */
type ProductLoop = "batch" | "columns" | "rows";

/** With so many panels, columns are shared out: each panel of b is copied once then. */
const MANY_PANELS = 8;

/** The loop of a product that threads share, and in how many units. */
export function sharedLoop(
  shape: ProductShape,
  b: MatrixLayout,
): { name: ProductLoop; units: number } {
  const { batch, m, n } = shape;
  if (batch >= MANY_PANELS) return { name: "batch", units: batch };
  const columns = Math.ceil(n / WIDTH);
  const rows = Math.ceil(m / unitRows(shape, b));
  const isByColumns = columns >= Math.min(MANY_PANELS, rows);
  return isByColumns ? { name: "columns", units: columns } : { name: "rows", units: rows };
}

/** Rows of a unit, where rows are shared out: so many that copying panels of b weighs little. */
function unitRows(shape: ProductShape, b: MatrixLayout): number {
  return isDirect(shape, b) ? 8 : 64;
}

/** Rows of a tile so many columns wide, of eight vectors. */
function tileHeight(width: number): number {
  return 8 / Math.ceil(width / 4);
}

/** Whether b is read where it lies. */
function isDirect({ m }: ProductShape, { offset, strides }: MatrixLayout): boolean {
  const [batch, row, column] = strides;
  const isAligned = row % 4 === 0 && batch % 4 === 0 && offset % 4 === 0;
  return column === 1 && row > 0 && (m < MANY_ROWS || (isAligned && row <= NEAR));
}

/** Bytes of all sums of a product, in the order of its tiles. */
export function partialBytes({ m, n }: Pick<ProductShape, "m" | "n">): number {
  return TILE_BYTES * Math.ceil(n / WIDTH) * Math.ceil((m + 4) / 4);
}

/** Writes a product into a function. */
export function writeProduct(f: FunctionWriter, options: ProductOptions): void {
  new ProductWriter(f, options).write();
}

class ProductWriter {
  readonly #a: number;
  readonly #b: number;
  readonly #panel: number;
  readonly #at: [number, number, number];
  readonly #rowOfA: number;
  readonly #atA: number;
  readonly #atB: number;
  readonly #end: number;
  readonly #partial: number;
  readonly #column: number;
  readonly #sums: readonly number[];
  readonly #right: readonly number[];
  readonly #left: number;
  /** Where a part of k begins, of more than one. */
  readonly #first: number;

  constructor(
    readonly f: FunctionWriter,
    readonly options: ProductOptions,
  ) {
    const local = () => f.local(I32);
    const vector = () => f.local(V128);
    this.#a = local();
    this.#b = local();
    this.#panel = local();
    this.#at = [local(), local(), local()];
    this.#rowOfA = local();
    this.#atA = local();
    this.#atB = local();
    this.#end = local();
    this.#partial = local();
    this.#column = local();
    this.#sums = Array.from({ length: 8 }, vector);
    this.#right = [vector(), vector()];
    this.#left = vector();
    this.#first = local();
  }

  write(): void {
    const { a, b, partial, pointers, shape } = this.options;
    if (partial) this.#move(this.#partial, partial.at, 0);
    this.#move(this.#a, pointers.a, 4 * a.offset);
    this.#move(this.#b, pointers.b, 4 * b.offset);
    this.#blocks("batch", {
      counter: this.#at[0],
      step: 1,
      size: shape.batch,
      body: () => this.#matrix(),
      moves: [
        [this.#a, 4 * a.strides[0]],
        [this.#b, 4 * b.strides[0]],
      ],
    });
  }

  #matrix(): void {
    const { n } = this.options.shape;
    const bytes = 4 * this.options.b.strides[2];
    this.#move(this.#column, this.#b, 0);
    this.#blocks("columns", {
      counter: this.#at[2],
      step: WIDTH,
      size: n,
      body: (width) => this.#columns(width),
      moves: [[this.#column, WIDTH * bytes]],
    });
  }

  /** A panel of y: all rows of so many columns. */
  #columns(width: number): void {
    const { f, options } = this;
    const { m, k } = options.shape;
    if (k <= LONGEST) {
      this.#block({ width, depth: k });
      return;
    }
    const last = k % DEPTH || DEPTH;
    f.get(options.pointers.scratch)
      .i32(4 * WIDTH * DEPTH)
      .emit(ADD)
      .i32(0);
    f.i32(4 * WIDTH * (m + 8)).emit(...MEMORY_FILL);
    const part = { width, first: this.#first };
    f.count(this.#first, DEPTH, k - last, () =>
      this.#block({ ...part, depth: DEPTH, isOpen: true }),
    );
    this.#block({ ...part, depth: last });
  }

  /** A part of a panel's sums. */
  #block(part: PanelPart): void {
    const { options } = this;
    const { a, b, partial, pointers, shape } = options;
    const { first, width } = part;
    const isInPlace = isDirect(shape, b);
    if (!partial?.isWhole) {
      if (isInPlace) this.#moveTo(this.#panel, this.#column, first, b.strides[1]);
      else this.#pack(part);
      this.#moveTo(this.#rowOfA, this.#a, first, a.strides[2]);
    }
    const isCut = first !== undefined;
    if (isCut) this.#move(this.#partial, pointers.scratch, 4 * WIDTH * DEPTH);
    const height = tileHeight(width);
    const step = isInPlace ? 4 * b.strides[1] : 16 * Math.ceil(width / 4);
    this.#blocks("rows", {
      counter: this.#at[1],
      step: height,
      size: shape.m,
      grain: unitRows(shape, b) / height,
      body: (rows) => {
        this.#tile(rows, { ...part, step });
        if (partial) this.#move(this.#partial, this.#partial, TILE_BYTES);
      },
      moves: [
        [this.#rowOfA, 4 * height * a.strides[1]],
        ...(isCut ? [[this.#partial, TILE_BYTES] as const] : []),
      ],
    });
  }

  /** Copies rows of b, of so many columns, one behind the other. */
  #pack({ width, first, depth }: PanelPart): void {
    const { f, options } = this;
    const [, row, column] = options.b.strides;
    const vectors = Math.ceil(width / 4);
    this.#move(this.#panel, options.pointers.scratch, 0);
    this.#move(this.#atB, this.#panel, 0);
    this.#moveTo(this.#atA, this.#column, first, row);
    f.get(this.#panel)
      .i32(16 * vectors * depth)
      .emit(ADD)
      .set(this.#end);
    f.repeat(() => {
      for (let v = 0; v < vectors; v++) {
        f.get(this.#atB);
        if (column === 1) f.get(this.#atA).vectorMemory(simd.v128_load, 2, 16 * v);
        else this.#gather(4 * v, Math.min(4, width - 4 * v), column);
        f.vectorMemory(simd.v128_store, 2, 16 * v);
      }
      this.#move(this.#atA, this.#atA, 4 * row);
      f.get(this.#atB)
        .i32(16 * vectors)
        .emit(ADD)
        .tee(this.#atB)
        .get(this.#end)
        .emit(NOT_EQUAL);
    });
  }

  /** Loads up to four columns that do not lie side by side. */
  #gather(from: number, lanes: number, stride: number): void {
    const { f } = this;
    f.get(this.#atA)
      .vectorMemory(simd.v128_load32_zero, 2, 4 * from * stride)
      .set(this.#left);
    for (let lane = 1; lane < lanes; lane++) {
      f.get(this.#atA).get(this.#left);
      f.vectorMemory(simd.v128_load32_lane, 2, 4 * (from + lane) * stride, lane).set(this.#left);
    }
    f.get(this.#left);
  }

  #tile(rows: number, part: PanelPart & { readonly step: number }): void {
    const { f, options } = this;
    const { width, first, depth, step, isOpen } = part;
    const { partial } = options;
    const vectors = Math.ceil(width / 4);
    const sums = this.#sums.slice(0, rows * vectors);
    const before = (i: number) => f.get(this.#partial).vectorMemory(simd.v128_load, 2, 16 * i);
    if (partial?.isWhole) {
      for (const [i, sum] of sums.entries()) before(i).set(sum);
    } else {
      for (const sum of sums) f.simd(simd.v128_const, ...ZEROS).set(sum);
      this.#multiply(sums, { rows, vectors, depth, step });
      // Sums of parts, so that errors grow no further with k.
      if (first !== undefined || partial) {
        for (const [i, sum] of sums.entries()) before(i).get(sum).simd(simd.f32x4_add).set(sum);
      }
    }
    if (isOpen || partial?.isWhole === false) {
      sums.forEach((sum, i) => {
        f.get(this.#partial)
          .get(sum)
          .vectorMemory(simd.v128_store, 2, 16 * i);
      });
    } else options.store(this.#vectors(rows, width));
  }

  /** Adds the products of a part of k to a tile's sums. */
  #multiply(
    sums: readonly number[],
    { rows, vectors, depth, step }: Record<"rows" | "vectors" | "depth" | "step", number>,
  ): void {
    const { f, options } = this;
    this.#move(this.#atA, this.#rowOfA, 0);
    this.#move(this.#atB, this.#panel, 0);
    f.get(this.#panel)
      .i32(step * depth)
      .emit(ADD)
      .set(this.#end);
    f.repeat(() => {
      for (let v = 0; v < vectors; v++) {
        f.get(this.#atB)
          .vectorMemory(simd.v128_load, 2, 16 * v)
          .set(this.#right[v]);
      }
      for (let r = 0; r < rows; r++) {
        const offset = 4 * r * options.a.strides[1];
        f.get(this.#atA).vectorMemory(simd.v128_load32_splat, 2, offset).set(this.#left);
        for (let v = 0; v < vectors; v++) this.#add(sums[r * vectors + v], this.#right[v]);
      }
      this.#move(this.#atA, this.#atA, 4 * options.a.strides[2]);
      f.get(this.#atB).i32(step).emit(ADD).tee(this.#atB).get(this.#end).emit(NOT_EQUAL);
    });
  }

  #vectors(rows: number, width: number): TileVector[] {
    const vectors = Math.ceil(width / 4);
    return this.#sums.slice(0, rows * vectors).map((sums, i) => {
      const right = 4 * (i % vectors);
      const down = Math.floor(i / vectors);
      return { at: this.#at, down, right, sums, lanes: Math.min(4, width - right) };
    });
  }

  /** sums += left · right */
  #add(sums: number, right: number): void {
    const { f } = this;
    if (this.options.isFused) f.get(this.#left).get(right).get(sums).simd(simd.f32x4_relaxed_madd);
    else f.get(sums).get(this.#left).get(right).simd(simd.f32x4_mul).simd(simd.f32x4_add);
    f.set(sums);
  }

  /** to = from + so many strides, in elements, as a local says */
  #moveTo(to: number, from: number, count: number | undefined, stride: number): void {
    this.f.get(from);
    if (count !== undefined)
      this.f
        .get(count)
        .i32(4 * stride)
        .emit(MULTIPLY, ADD);
    this.f.set(to);
  }

  /** to = from + bytes */
  #move(to: number, from: number, bytes: number): void {
    this.f.get(from);
    if (bytes !== 0) this.f.i32(bytes).emit(ADD);
    this.f.set(to);
  }

  /** Writes a loop, of a thread's share where it is the one that is shared out. */
  #blocks(name: ProductLoop, blocks: Blocks): void {
    const { share, shape, b } = this.options;
    const isShared = share && sharedLoop(shape, b).name === name;
    writeBlocks(this.f, blocks, isShared ? share : undefined);
  }
}

const ZEROS: readonly number[] = /* @__PURE__ */ new Array<number>(16).fill(0);
