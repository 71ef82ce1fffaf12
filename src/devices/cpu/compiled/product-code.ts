import { sizeOf } from "../../../core/shape.ts";
import { I32 } from "./assembler.ts";
import type { Results } from "./elements.ts";
import type { GroupCode } from "./group-code.ts";
import type { GroupWriter, Stretch } from "./group-writer.ts";
import type { packingOf } from "./packing.ts";
import { writeProduct } from "./product.ts";
import type { ProductBlocks, ProductOperand } from "./product-blocks.ts";
import {
  type ProductShape,
  scratchBytes,
  sharedLoop,
  TILE_BYTES,
  type TileVector,
} from "./product-shape.ts";
import * as simd from "./simd.ts";

/** Nanoseconds that an operation in a product's tiles takes. */
const FLOP_TIME = 1 / 36;

/** Rows so far apart, in elements, fall on each other in a cache. */
const CROWDED = 1024;

/** What puts operands in order before they are multiplied. */
export interface Blocking {
  readonly packingOf: typeof packingOf;
  readonly ProductBlocks: typeof ProductBlocks;
}

/** Null until it has been added: operands are stored, and are read where they lie, till then. */
export let blocking: Blocking | null = null;

/** Has operands put in order. */
export function useBlocking(given: Blocking): void {
  blocking = given;
}

/** The code of products of matrices, and of what follows them. */
export function productCode(group: GroupWriter): GroupCode {
  const { context, program } = group;
  const { inputs, shape: y } = program[group.group.anchors[0]];
  const [m, n] = y.slice(-2);
  const [k] = program[inputs[0]].shape.slice(-1);
  const shape = { batch: sizeOf(y.slice(0, -2)), m, n, k };
  const [a, b] = inputs.map((input, i) => operandOf(group, input, i === 0, shape));
  const blocksIn = (writer: GroupWriter) =>
    blocking && (a.packing || b.packing) ? new blocking.ProductBlocks(writer, shape, [a, b]) : null;
  const { units } = blocksIn(group.again()) ?? sharedLoop(shape, b.view);
  const begun = group.begin(units, FLOP_TIME);
  const { f, share } = begun;
  const blocks = blocksIn(begun);
  const own = blocks ? blocks.bytes : scratchBytes(shape);
  const tiles = new TileStores(begun, shape, own);
  const store = (tile: readonly TileVector[]) => tiles.store(tile);
  let scratch = own + TILE_BYTES;
  if (blocks) scratch = blocks.write(store, scratch);
  else {
    const { isFused } = context;
    const pointers = { a: a.pointer, b: b.pointer, scratch: begun.scratch };
    writeProduct(f, { shape, a: a.view, b: b.view, isFused, share, pointers, store });
  }
  return begun.code(scratch, units);
}

/** Where an operand lies, or how it is put in order. */
function operandOf(
  group: GroupWriter,
  input: number,
  isLeft: boolean,
  { m, n, k }: ProductShape,
): ProductOperand {
  const { locations, schedule } = group.context;
  const { root, view: own } = locations[input];
  const view = { ...own, strides: [0, ...own.strides].slice(-3) };
  const pointer = group.steps.indexOf(schedule.homes.get(root) ?? root);
  const [, , column] = view.strides;
  const isTurned = view.strides.some((stride) => stride < 0);
  // The columns on the left are read again for each panel on the right.
  const isCrowded = isLeft && column > 0 && column % CROWDED === 0 && k * n > 2 ** 14 && m > 4;
  const isPacked = pointer < 0 || isTurned || isCrowded;
  return { view, pointer, packing: (isPacked && blocking?.packingOf(group, input)) || null };
}

/** A row of a tile, as what is stored of it. */
interface RowValues {
  readonly stretch: Stretch;
  readonly parts: readonly Results[];
}

/** Writes what follows a tile's sums, and stores it. */
class TileStores {
  readonly #row: number;
  readonly #sums: number;
  readonly #end: number;

  constructor(
    readonly group: GroupWriter,
    readonly product: ProductShape,
    /** Where in the memory of the group's own a tile's sums may lie. */
    readonly offset: number,
  ) {
    const { f } = group;
    this.#row = f.local(I32);
    this.#sums = f.local(I32);
    this.#end = f.local(I32);
  }

  /** What follows the sums is written once for all rows: with a copy for each, code takes longer to make. */
  store(tile: readonly TileVector[]): void {
    const first = tile.filter(({ down }) => down === 0);
    const [{ at }] = tile;
    const rows = tile.length / first.length;
    if (rows > 1) {
      this.#loop(tile, this.#values(first, [at[0], this.#row, at[2]], this.#row), rows);
      return;
    }
    const { stretch, parts } = this.#values(tile, at);
    for (const [i, { roots, store }] of parts.entries()) {
      store(i === 0 ? stretch.emit(roots) : stretch.body.emit(roots));
    }
  }

  /** Runs over the rows of a tile, whose sums lie in memory. */
  #loop(tile: readonly TileVector[], { stretch, parts }: RowValues, rows: number): void {
    const { f, scratch } = this.group;
    const bytes = 16 * (tile.length / rows);
    f.move(this.#sums, scratch, this.offset);
    for (const [i, { sums }] of tile.entries()) {
      f.get(this.#sums).get(sums);
      f.vectorMemory(simd.v128_store, 2, 16 * i);
    }
    f.move(this.#row, tile[0].at[1]).move(this.#end, this.#sums, bytes * rows);
    stretch.prepare(parts.flatMap(({ roots }) => roots));
    f.repeat(() => {
      for (const [i, { roots, store }] of parts.entries()) {
        f.get(this.#sums).vectorMemory(simd.v128_load, 2, 16 * i);
        f.set(tile[i].sums);
        store(stretch.body.emit(roots));
      }
      f.move(this.#row, this.#row, 1).advance(this.#sums, bytes, this.#end);
    });
  }

  /** @param inner the local that counts within the stretch, if there is one. */
  #values(row: readonly TileVector[], at: readonly number[], inner?: number): RowValues {
    const { group, product } = this;
    const { batch, m, n } = product;
    const domain = group.context.schedule.domain(group.group);
    const lanes = row.map((one) => one.lanes);
    const stretch = group.stretch(lanes, inner);
    const parts = row.map(({ right, sums }, i) => {
      const elements = stretch.all[i];
      elements.anchors.set(group.group.anchors[0], stretch.body.local(sums));
      const coordinates = [
        { local: at[0], size: batch },
        { local: at[1], size: m },
        { local: at[2], size: n, add: right, isByLane: true },
      ];
      return elements.results(stretch.places.position(domain, coordinates));
    });
    return { stretch, parts };
  }
}
