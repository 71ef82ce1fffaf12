/*
 * Products of matrices, y[m, n] = Σ_k a[m, k] · b[k, n], in float32.
 *
 * y is walked in panels of eight columns, and each panel in tiles of four rows: eight vectors of sums
 * stay in registers while k runs. A rest of up to four columns has tiles of eight rows and one vector.
 * Each sum is added up in the order of k, whatever the sizes. A panel of b is copied first, row by
 * row, unless its rows lie aligned and close to each other; a is read in place, one number for four
 * lanes. Sizes and strides are literals, and the loop over k is not unrolled: that suits V8's
 * registers (bench/kernels/README.md has the figures).
 */
import { type FunctionWriter, I32, V128 } from "./assembler.ts";
import { type Blocks, type Share, writeBlocks } from "./blocks.ts";

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

/** What a product is made of. */
export interface ProductOptions {
  readonly shape: ProductShape;
  readonly a: MatrixLayout;
  readonly b: MatrixLayout;
  /** Whether there is a multiply-add. */
  readonly isFused: boolean;
  /** A thread's share of the loop that `sharedLoop` names, if it is shared out. */
  readonly share?: Share;
  /** Parameters with the addresses of a, b and memory for `scratchBytes`. */
  readonly pointers: { readonly a: number; readonly b: number; readonly scratch: number };
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
  }

  write(): void {
    const { a, b, pointers, shape } = this.options;
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
    const { k } = this.options.shape;
    const last = k > LONGEST ? k % DEPTH || DEPTH : k;
    let first = 0;
    for (; first + last < k; first += DEPTH) this.#block(width, first, DEPTH);
    this.#block(width, first, last);
  }

  /** The part of a panel's sums from `first` on. */
  #block(width: number, first: number, depth: number): void {
    const { options } = this;
    const { a, pointers, shape } = options;
    const isInPlace = isDirect(shape, options.b);
    if (isInPlace) this.#move(this.#panel, this.#column, 4 * first * options.b.strides[1]);
    else this.#pack(width, first, depth);
    this.#move(this.#rowOfA, this.#a, 4 * first * a.strides[2]);
    if (shape.k > LONGEST) this.#move(this.#partial, pointers.scratch, 4 * WIDTH * DEPTH);
    const vectors = Math.ceil(width / 4);
    const height = tileHeight(width);
    const part = { width, first, depth, step: isInPlace ? 4 * options.b.strides[1] : 16 * vectors };
    this.#blocks("rows", {
      counter: this.#at[1],
      step: height,
      size: shape.m,
      grain: unitRows(shape, options.b) / height,
      body: (rows) => this.#tile(rows, part),
      moves: [
        [this.#rowOfA, 4 * height * a.strides[1]],
        ...(shape.k > LONGEST ? [[this.#partial, 128] as const] : []),
      ],
    });
  }

  /** Copies rows of b, of so many columns, one behind the other. */
  #pack(width: number, first: number, depth: number): void {
    const { f, options } = this;
    const [, row, column] = options.b.strides;
    const vectors = Math.ceil(width / 4);
    this.#move(this.#panel, options.pointers.scratch, 0);
    this.#move(this.#atB, this.#panel, 0);
    this.#move(this.#atA, this.#column, 4 * first * row);
    f.get(this.#panel)
      .i32(16 * vectors * depth)
      .emit(ADD)
      .set(this.#end);
    f.repeat(() => {
      for (let v = 0; v < vectors; v++) {
        f.get(this.#atB);
        if (column === 1) f.get(this.#atA).vectorMemory(LOAD, 2, 16 * v);
        else this.#gather(4 * v, Math.min(4, width - 4 * v), column);
        f.vectorMemory(STORE, 2, 16 * v);
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
      .vectorMemory(LOAD_ZERO, 2, 4 * from * stride)
      .set(this.#left);
    for (let lane = 1; lane < lanes; lane++) {
      f.get(this.#atA).get(this.#left);
      f.vectorMemory(LOAD_LANE, 2, 4 * (from + lane) * stride, lane).set(this.#left);
    }
    f.get(this.#left);
  }

  #tile(rows: number, part: { width: number; first: number; depth: number; step: number }): void {
    const { f, options } = this;
    const { width, first, depth, step } = part;
    const { k } = options.shape;
    const vectors = Math.ceil(width / 4);
    const sums = this.#sums.slice(0, rows * vectors);
    sums.forEach((sum, i) => {
      if (first > 0)
        f.get(this.#partial)
          .vectorMemory(LOAD, 2, 16 * i)
          .set(sum);
      else f.simd(CONST, ...ZEROS).set(sum);
    });
    this.#move(this.#atA, this.#rowOfA, 0);
    this.#move(this.#atB, this.#panel, 0);
    f.get(this.#panel)
      .i32(step * depth)
      .emit(ADD)
      .set(this.#end);
    f.repeat(() => {
      for (let v = 0; v < vectors; v++) {
        f.get(this.#atB)
          .vectorMemory(LOAD, 2, 16 * v)
          .set(this.#right[v]);
      }
      for (let r = 0; r < rows; r++) {
        const offset = 4 * r * options.a.strides[1];
        f.get(this.#atA).vectorMemory(LOAD_SPLAT, 2, offset).set(this.#left);
        for (let v = 0; v < vectors; v++) this.#add(sums[r * vectors + v], this.#right[v]);
      }
      this.#move(this.#atA, this.#atA, 4 * options.a.strides[2]);
      f.get(this.#atB).i32(step).emit(ADD).tee(this.#atB).get(this.#end).emit(NOT_EQUAL);
    });
    if (first + depth < k) {
      sums.forEach((sum, i) => {
        f.get(this.#partial)
          .get(sum)
          .vectorMemory(STORE, 2, 16 * i);
      });
    } else options.store(this.#vectors(rows, width));
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
    if (this.options.isFused) f.get(this.#left).get(right).get(sums).simd(MULTIPLY_ADD);
    else f.get(sums).get(this.#left).get(right).simd(MULTIPLY).simd(ADD_VECTORS);
    f.set(sums);
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

const ADD = 0x6a;
const NOT_EQUAL = 0x47;
const LOAD = 0x00;
const LOAD_SPLAT = 0x09;
const LOAD_ZERO = 0x5c;
const LOAD_LANE = 0x56;
const STORE = 0x0b;
const CONST = 0x0c;
const ADD_VECTORS = 0xe4;
const MULTIPLY = 0xe6;
const MULTIPLY_ADD = 0x105;
const ZEROS: readonly number[] = /* @__PURE__ */ new Array<number>(16).fill(0);
