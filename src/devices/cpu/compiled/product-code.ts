import { sizeOf } from "../../../core/shape.ts";
import type { Group } from "../../../engine/fusion.ts";
import { FunctionWriter, I32 } from "./assembler.ts";
import { Addresses, GroupElements, type Results } from "./elements.ts";
import { beginGroup, type GroupCode, type GroupContext, pointersOf } from "./group-code.ts";
import { ADD, NOT_EQUAL } from "./instructions.ts";
import { LaneWriter } from "./lane-scalars.ts";
import { packingOf } from "./packing.ts";
import {
  type ProductShape,
  scratchBytes,
  sharedLoop,
  TILE_BYTES,
  type TileVector,
  writeProduct,
} from "./product.ts";
import { ProductBlocks, type ProductOperand } from "./product-blocks.ts";
import * as simd from "./simd.ts";
import { VectorBody } from "./vector-body.ts";

/** Nanoseconds that an operation in a product's tiles takes. */
const FLOP_TIME = 1 / 36;

/** Rows so far apart, in elements, fall on each other in a cache. */
const CROWDED = 1024;

/** The code of products of matrices, and of what follows them. */
export function productCode(context: GroupContext, group: Group): GroupCode {
  const { schedule, isFused } = context;
  const { inputs, shape: y } = schedule.program.steps[group.anchors[0]];
  const [m, n] = y.slice(-2);
  const [k] = schedule.program.steps[inputs[0]].shape.slice(-1);
  const shape = { batch: sizeOf(y.slice(0, -2)), m, n, k };
  const steps = pointersOf(context, group);
  const [a, b] = inputs.map((input, i) => operandOf(context, group, steps, input, i === 0, shape));
  const blocksIn = (f: FunctionWriter) =>
    a.packing || b.packing ? new ProductBlocks(context, group, f, steps, shape, [a, b]) : null;
  const { units } =
    blocksIn(new FunctionWriter([...steps, 0].map(() => I32))) ?? sharedLoop(shape, b.view);
  const { f, share } = beginGroup(context, group, steps, units, FLOP_TIME);
  const blocks = blocksIn(f);
  const own = blocks ? blocks.bytes : scratchBytes(shape);
  const tiles = new TileStores(context, group, f, steps, shape, own);
  const store = (tile: readonly TileVector[]) => tiles.store(tile);
  let scratch = own + TILE_BYTES;
  if (blocks) scratch = blocks.write(store, scratch, share);
  else {
    const pointers = { a: a.pointer, b: b.pointer, scratch: steps.length };
    writeProduct(f, { shape, a: a.view, b: b.view, isFused, share, pointers, store });
  }
  return { function: f, steps, scratch, units: share && units };
}

/** Where an operand lies, or how it is put in order. */
function operandOf(
  context: GroupContext,
  group: Group,
  steps: readonly number[],
  input: number,
  isLeft: boolean,
  { m, n, k }: ProductShape,
): ProductOperand {
  const { locations, schedule } = context;
  const { root, view: own } = locations[input];
  const view = { ...own, strides: [0, ...own.strides].slice(-3) };
  const pointer = steps.indexOf(schedule.homes.get(root) ?? root);
  const [, , column] = view.strides;
  const isTurned = view.strides.some((stride) => stride < 0);
  // The columns on the left are read again for each panel on the right.
  const isCrowded = isLeft && column > 0 && column % CROWDED === 0 && k * n > 2 ** 14 && m > 4;
  const isPacked = pointer < 0 || isTurned || isCrowded;
  return { view, pointer, packing: isPacked ? packingOf(context, group, steps, input) : null };
}

/** A row of a tile, as what is stored of it. */
interface RowValues {
  readonly body: VectorBody;
  readonly elements: readonly GroupElements[];
  readonly parts: readonly Results[];
}

/** Writes what follows a tile's sums, and stores it. */
class TileStores {
  readonly #row: number;
  readonly #sums: number;
  readonly #end: number;

  constructor(
    readonly context: GroupContext,
    readonly group: Group,
    readonly f: FunctionWriter,
    readonly steps: readonly number[],
    readonly product: ProductShape,
    /** Where in the memory of the group's own a tile's sums may lie. */
    readonly offset: number,
  ) {
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
    const { body, elements, parts } = this.#values(tile, at);
    for (const one of elements) one.start();
    for (const { roots, store } of parts) store(body.emit(roots));
  }

  /** Runs over the rows of a tile, whose sums lie in memory. */
  #loop(tile: readonly TileVector[], { body, elements, parts }: RowValues, rows: number): void {
    const { f } = this;
    const bytes = 16 * (tile.length / rows);
    f.get(this.steps.length).i32(this.offset).emit(ADD).set(this.#sums);
    for (const [i, { sums }] of tile.entries()) {
      f.get(this.#sums)
        .get(sums)
        .vectorMemory(simd.v128_store, 2, 16 * i);
    }
    f.get(tile[0].at[1]).set(this.#row);
    f.get(this.#sums)
      .i32(bytes * rows)
      .emit(ADD)
      .set(this.#end);
    for (const one of elements) one.start();
    body.prepare(parts.flatMap(({ roots }) => roots));
    f.repeat(() => {
      for (const [i, { roots, store }] of parts.entries()) {
        f.get(this.#sums)
          .vectorMemory(simd.v128_load, 2, 16 * i)
          .set(tile[i].sums);
        store(body.emit(roots));
      }
      f.get(this.#row).i32(1).emit(ADD).set(this.#row);
      f.get(this.#sums).i32(bytes).emit(ADD).tee(this.#sums).get(this.#end).emit(NOT_EQUAL);
    });
  }

  /** @param inner the local that counts within the stretch, if there is one. */
  #values(row: readonly TileVector[], at: readonly number[], inner?: number): RowValues {
    const { f, group, product, steps } = this;
    const { schedule, isFused } = this.context;
    const body = new VectorBody(f, isFused);
    const writer = new LaneWriter(body);
    const pointers = new Map(steps.map((step, i) => [step, i]));
    const addresses = new Addresses(f, schedule, pointers, inner);
    const elements = row.map(({ lanes }) => {
      return new GroupElements(schedule, group, f, writer, addresses, lanes);
    });
    const { batch, m, n } = product;
    const parts = row.map(({ right, sums }, i) => {
      elements[i].anchors.set(group.anchors[0], body.local(sums));
      const coordinates = [
        { local: at[0], size: batch },
        { local: at[1], size: m },
        { local: at[2], size: n, add: right, isByLane: true },
      ];
      const domain = schedule.domain(group);
      return elements[i].results(elements[i].position(domain, coordinates));
    });
    return { body, elements, parts };
  }
}
