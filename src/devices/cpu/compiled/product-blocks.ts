/*
 * Products of blocks of matrices, of which operands are put in order before they are multiplied. Where
 * k is cut, sums are kept between its blocks, so that they are added up in the order of k.
 */
import type { Strided } from "../../../core/strided.ts";
import { I32 } from "./assembler.ts";
import { BlockedAxis } from "./blocked-axis.ts";
import { writeBlocks } from "./blocks.ts";
import type { GroupWriter } from "./group-writer.ts";
import { ADD, MULTIPLY } from "./instructions.ts";
import { type Packing, pitchOf, writePacking } from "./packing.ts";
import { writeProduct } from "./product.ts";
import {
  type MatrixLayout,
  type ProductShape,
  partialBytes,
  scratchBytes,
  type TileVector,
} from "./product-shape.ts";

/** Bytes of a block that is put in order. */
const BLOCK_BYTES = 2 ** 17;
/** So much of k at once where it is cut, and so much is not cut. */
const DEPTH = 256;
const UNCUT = 512;

/** An operand: where it lies, or how it is put in order. */
export interface ProductOperand {
  readonly view: Strided;
  /** The parameter with the address of its memory. */
  readonly pointer: number;
  readonly packing: Packing | null;
}

/** An operand with the axes of its rows and columns. */
interface BlockedOperand extends ProductOperand {
  readonly axes: readonly [rows: BlockedAxis, columns: BlockedAxis];
  /** The local with the address of a block. */
  readonly at: number;
  /** Where that is in memory of the product's own, if it is put in order. */
  readonly offset: number;
}

type StoreTile = (tile: readonly TileVector[]) => void;

/** Sizes of a block. */
type BlockSizes = Omit<ProductShape, "batch">;

export class ProductBlocks {
  readonly #batch: number;
  readonly #partial: number;
  readonly #m: BlockedAxis;
  readonly #n: BlockedAxis;
  readonly #k: BlockedAxis;
  readonly #operands: readonly BlockedOperand[];
  /** Bytes of memory for what is put in order. */
  readonly bytes: number;

  constructor(
    readonly group: GroupWriter,
    readonly shape: ProductShape,
    operands: readonly ProductOperand[],
  ) {
    const { f } = group;
    this.#batch = f.local(I32);
    this.#partial = f.local(I32);
    const { m, n, k } = shape;
    const [a, b] = operands.map(({ packing }) => packing?.digits);
    this.#k = new BlockedAxis(f, k, a?.[1] ?? b?.[0] ?? [k], k > UNCUT ? DEPTH : k);
    const rows = BLOCK_BYTES / 4 / pitchOf(this.#k.block);
    this.#m = new BlockedAxis(f, m, a?.[0] ?? [m], a ? rows : m);
    this.#n = new BlockedAxis(f, n, b?.[1] ?? [n], b ? rows : n);
    const blocks = { batch: 1, m: this.#m.block, n: this.#n.block, k: this.#k.block };
    let bytes = scratchBytes(blocks);
    const axes = [
      [this.#m, this.#k],
      [this.#k, this.#n],
    ] as const;
    this.#operands = operands.map((one, i): BlockedOperand => {
      const offset = bytes;
      const sizes = axes[i].map(({ block }) => block);
      const { isAlongRows } = one.packing ?? {};
      const [count, length] = isAlongRows ? sizes : sizes.reverse();
      // The last vector may be too long.
      if (one.packing) bytes += 4 * count * pitchOf(length) + 16;
      return { ...one, axes: axes[i], at: f.local(I32), offset };
    });
    this.bytes = bytes;
  }

  /** The axis that threads share; null where they share batches. */
  get #shared(): BlockedAxis | null {
    const [one] = [this.#n, this.#m].sort((a, b) => b.units - a.units);
    return one.units > this.shape.batch ? one : null;
  }

  /** How many units threads may share. */
  get units(): number {
    return this.#shared?.units ?? this.shape.batch;
  }

  /**
   * Writes the product; gives the bytes of memory that it wants.
   * @param store writes what stores a tile's vectors.
   * @param sums from where in its memory on it may keep sums.
   */
  write(store: StoreTile, sums: number): number {
    const { f, share } = this.group;
    const isCut = this.#k.count > 1;
    const shareOf = (axis: unknown) => (axis === this.#shared ? share : undefined);
    const batch = { counter: this.#batch, step: 1, size: this.shape.batch };
    const body = () => {
      const columns = (n: number) => {
        const rows = (m: number) => this.#rows({ m, n }, store, sums);
        this.#m.each(rows, shareOf(this.#m));
      };
      this.#n.each(columns, shareOf(this.#n));
    };
    writeBlocks(f, { ...batch, body }, shareOf(null));
    return sums + (isCut ? partialBytes({ m: this.#m.block, n: this.#n.block }) : 0);
  }

  /** Writes all of k for a block of the product. */
  #rows({ m, n }: Pick<BlockSizes, "m" | "n">, store: StoreTile, sums: number): void {
    const { f } = this.group;
    const [left, right] = this.#operands;
    const isCut = this.#k.count > 1;
    if (isCut) {
      this.#find(this.#partial, sums);
      f.get(this.#partial).zero(partialBytes({ m, n }));
    }
    this.#k.each((k) => {
      this.#pack(left, [m, k]);
      this.#pack(right, [k, n]);
      this.#multiply({ m, n, k }, store, isCut ? false : undefined);
    });
    if (isCut) this.#multiply({ m, n, k: 1 }, store, true);
  }

  /** Has a local with an address in memory of the product's own. */
  #find(local: number, offset: number): void {
    this.group.f.move(local, this.group.scratch, offset);
  }

  #pack({ packing, axes, at, offset }: BlockedOperand, sizes: readonly [number, number]): void {
    if (!packing) return;
    this.#find(at, offset);
    const batch = { local: this.#batch, size: this.shape.batch };
    writePacking(this.group, packing, { batch, axes, sizes, to: at });
    this.#find(at, offset);
  }

  /** Multiplies a block; `isWhole` says whether sums are whole, where k is cut. */
  #multiply({ m, n, k }: BlockSizes, store: StoreTile, isWhole?: boolean): void {
    const [left, right] = this.#operands;
    const { context, f, scratch } = this.group;
    writeProduct(f, {
      shape: { batch: 1, m, n, k },
      a: this.#layout(left, [m, k]),
      b: this.#layout(right, [k, n]),
      isFused: context.isFused,
      pointers: { a: left.at, b: right.at, scratch },
      partial: isWhole === undefined ? undefined : { at: this.#partial, isWhole },
      store: (tile) => this.#store(tile, store),
    });
  }

  /** How a block of an operand lies behind its address, which is found here where it lies in place. */
  #layout(operand: BlockedOperand, [rows, columns]: readonly [number, number]): MatrixLayout {
    const { packing, view, pointer, axes, at } = operand;
    if (packing?.isAlongRows) return { offset: 0, strides: [0, pitchOf(columns), 1] };
    if (packing) return { offset: 0, strides: [0, 1, pitchOf(rows)] };
    const { f } = this.group;
    f.get(pointer);
    for (const [i, base] of [this.#batch, axes[0].base, axes[1].base].entries()) {
      f.get(base)
        .i32(4 * view.strides[i])
        .emit(MULTIPLY, ADD);
    }
    f.set(at);
    return view;
  }

  /** Stores a tile, by the indices of the whole product. */
  #store(tile: readonly TileVector[], store: StoreTile): void {
    const { f } = this.group;
    const [{ at }] = tile;
    const [row, column] = [this.#m, this.#n].map(({ base }, i) => {
      const index = f.local(I32);
      f.get(at[i + 1])
        .get(base)
        .emit(ADD)
        .set(index);
      return index;
    });
    store(tile.map((one) => ({ ...one, at: [this.#batch, row, column] })));
  }
}
