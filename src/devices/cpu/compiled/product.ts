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
import { type Blocks, writeBlocks } from "./blocks.ts";
import { ADD, MULTIPLY } from "./instructions.ts";
import { packPanel } from "./panel.ts";
import {
  isDirect,
  PANEL_DEPTH,
  PANEL_WIDTH,
  type ProductLoop,
  type ProductOptions,
  sharedLoop,
  TILE_BYTES,
  type TileVector,
  tileHeight,
  UNCUT_DEPTH,
  unitRows,
} from "./product-shape.ts";
import * as simd from "./simd.ts";

/** So much of k of a panel so many columns wide. */
interface PanelPart {
  readonly width: number;
  readonly depth: number;
  /** The local that says where it begins, of more than one. */
  readonly first?: number;
  /** Whether others follow. */
  readonly isOpen?: boolean;
}

/** Writes a product into a function. */
export function writeProduct(f: FunctionWriter, options: ProductOptions): void {
  new ProductWriter(f, options).write();
}

class ProductWriter {
  readonly #a: number;
  readonly #b: number;
  readonly #panel: number;
  readonly #at: readonly [number, number, number];
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
    [this.#a, this.#b, this.#panel] = [local(), local(), local()];
    this.#at = [local(), local(), local()];
    [this.#rowOfA, this.#atA, this.#atB, this.#end] = [local(), local(), local(), local()];
    [this.#partial, this.#column] = [local(), local()];
    this.#sums = Array.from({ length: 8 }, () => f.local(V128));
    this.#right = [f.local(V128), f.local(V128)];
    this.#left = f.local(V128);
    this.#first = local();
  }

  write(): void {
    const { f } = this;
    const { a, b, partial, pointers, shape } = this.options;
    if (partial) f.move(this.#partial, partial.at);
    f.move(this.#a, pointers.a, 4 * a.offset);
    f.move(this.#b, pointers.b, 4 * b.offset);
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
    const { shape, b } = this.options;
    this.f.move(this.#column, this.#b);
    this.#blocks("columns", {
      counter: this.#at[2],
      step: PANEL_WIDTH,
      size: shape.n,
      body: (width) => this.#columns(width),
      moves: [[this.#column, 4 * PANEL_WIDTH * b.strides[2]]],
    });
  }

  /** A panel of y: all rows of so many columns. */
  #columns(width: number): void {
    const { f, options } = this;
    const { m, k } = options.shape;
    const part = { width, first: this.#first };
    if (k <= UNCUT_DEPTH) {
      this.#block({ width, depth: k });
      return;
    }
    const last = k % PANEL_DEPTH || PANEL_DEPTH;
    f.get(options.pointers.scratch).i32(4 * PANEL_WIDTH * PANEL_DEPTH);
    f.emit(ADD).zero(4 * PANEL_WIDTH * (m + 8));
    const body = () => this.#block({ ...part, depth: PANEL_DEPTH, isOpen: true });
    f.count(this.#first, PANEL_DEPTH, k - last, body);
    this.#block({ ...part, depth: last });
  }

  /** A part of a panel's sums. */
  #block(part: PanelPart): void {
    const { f } = this;
    const { a, b, partial, pointers, shape } = this.options;
    const { first, width } = part;
    const isInPlace = isDirect(shape, b);
    if (!partial?.isWhole) {
      if (isInPlace) this.#moveTo(this.#panel, this.#column, first, b.strides[1]);
      else {
        f.move(this.#panel, pointers.scratch);
        f.move(this.#atB, this.#panel);
        this.#moveTo(this.#atA, this.#column, first, b.strides[1]);
        const locals = { from: this.#atA, to: this.#atB, end: this.#end, vector: this.#left };
        f.move(this.#end, this.#panel, 16 * Math.ceil(width / 4) * part.depth);
        packPanel(f, width, b.strides, locals);
      }
      this.#moveTo(this.#rowOfA, this.#a, first, a.strides[2]);
    }
    const isCut = first !== undefined;
    if (isCut) f.move(this.#partial, pointers.scratch, 4 * PANEL_WIDTH * PANEL_DEPTH);
    const height = tileHeight(width);
    const step = isInPlace ? 4 * b.strides[1] : 16 * Math.ceil(width / 4);
    this.#blocks("rows", {
      counter: this.#at[1],
      step: height,
      size: shape.m,
      grain: unitRows(shape, b) / height,
      body: (rows) => {
        this.#tile(rows, { ...part, step });
        if (partial) f.move(this.#partial, this.#partial, TILE_BYTES);
      },
      moves: [
        [this.#rowOfA, 4 * height * a.strides[1]],
        ...(isCut ? [[this.#partial, TILE_BYTES] as const] : []),
      ],
    });
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
      for (const sum of sums) f.zeros().set(sum);
      this.#multiply(sums, { rows, vectors, depth, step });
      // Sums of parts, so that errors grow no further with k.
      if (first !== undefined || partial) {
        for (const [i, sum] of sums.entries()) before(i).get(sum).simd(simd.f32x4_add).set(sum);
      }
    }
    if (isOpen || partial?.isWhole === false) {
      for (const [i, sum] of sums.entries()) {
        f.get(this.#partial).get(sum);
        f.vectorMemory(simd.v128_store, 2, 16 * i);
      }
    } else options.store(this.#vectors(rows, width));
  }

  /** Adds the products of a part of k to a tile's sums. */
  #multiply(
    sums: readonly number[],
    { rows, vectors, depth, step }: Record<"rows" | "vectors" | "depth" | "step", number>,
  ): void {
    const { f, options } = this;
    f.move(this.#atA, this.#rowOfA);
    f.move(this.#atB, this.#panel);
    f.move(this.#end, this.#panel, step * depth);
    f.repeat(() => {
      for (const [v, right] of this.#right.slice(0, vectors).entries()) {
        f.get(this.#atB);
        f.vectorMemory(simd.v128_load, 2, 16 * v).set(right);
      }
      for (let r = 0; r < rows; r++) {
        const offset = 4 * r * options.a.strides[1];
        f.get(this.#atA).vectorMemory(simd.v128_load32_splat, 2, offset).set(this.#left);
        for (let v = 0; v < vectors; v++) this.#add(sums[r * vectors + v], this.#right[v]);
      }
      f.move(this.#atA, this.#atA, 4 * options.a.strides[2]);
      f.advance(this.#atB, step, this.#end);
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
    const { f } = this;
    const bytes = 4 * stride;
    f.get(from);
    if (count !== undefined) f.get(count).i32(bytes).emit(MULTIPLY, ADD);
    f.set(to);
  }

  /** Writes a loop, of a thread's share where it is the one that is shared out. */
  #blocks(name: ProductLoop, blocks: Blocks): void {
    const { share, shape, b } = this.options;
    const isShared = share && sharedLoop(shape, b).name === name;
    writeBlocks(this.f, blocks, isShared ? share : undefined);
  }
}
