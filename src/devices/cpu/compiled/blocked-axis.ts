import { sizeOf } from "../../../core/shape.ts";
import { type FunctionWriter, I32 } from "./assembler.ts";
import { type Share, writeBlocks } from "./blocks.ts";
import type { Coordinate } from "./counted-places.ts";
import { ADD, MULTIPLY, NOT_EQUAL } from "./instructions.ts";

type AxisDigit = readonly [size: number, local: number];

/** An axis of a product, of which one block at a time is computed. */
export class BlockedAxis {
  /** The local with the index at which a block begins. */
  readonly base: number;
  /** Digits of an index that count blocks, and within a block: their sizes and locals. */
  readonly #outer: readonly AxisDigit[];
  readonly #inner: readonly AxisDigit[];
  /** How long a block is; the last one may be shorter where an index is one digit. */
  readonly block: number;

  /**
   * @param digits the sizes of its digits.
   * @param wanted how long a block should be at most.
   */
  constructor(
    readonly f: FunctionWriter,
    readonly size: number,
    digits: readonly number[],
    wanted: number,
  ) {
    this.base = f.local(I32);
    let [outer, inner] = cut(digits, wanted);
    if (digits.length === 1 || sizeOf(inner) > 4 * wanted) [outer, inner] = [[], [size]];
    const counted = (sizes: readonly number[]) =>
      sizes.map((one): AxisDigit => [one, f.local(I32)]);
    this.#outer = counted(outer);
    this.#inner = counted(inner);
    const even = 8 * Math.ceil(size / Math.ceil(size / wanted) / 8);
    this.block = this.#isOne ? Math.min(size, even) : sizeOf(inner);
  }

  /** Whether an index is one digit, which runs on from block to block. */
  get #isOne(): boolean {
    return this.#outer.length === 0 && this.#inner.length === 1;
  }

  /** How many blocks there are. */
  get count(): number {
    return Math.ceil(this.size / this.block);
  }

  /** How many units the outermost loop over blocks has. */
  get units(): number {
    return this.#outer[0]?.[0] ?? this.count;
  }

  /** Runs over blocks, or over a thread's share of them. */
  each(body: (size: number) => void, share?: Share): void {
    const { f, base, block, size } = this;
    f.i32(0).set(base);
    if (this.#isOne) {
      writeBlocks(f, { counter: base, step: block, size, body }, share);
      return;
    }
    const nest = (depth: number): void => {
      if (depth === this.#outer.length) {
        body(block);
        f.move(base, base, block);
        return;
      }
      const [size, counter] = this.#outer[depth];
      const own = depth === 0 ? share : undefined;
      // What blocks move within, their shares begin with.
      if (own)
        f.get(own.from)
          .i32(this.size / size)
          .emit(MULTIPLY)
          .set(base);
      writeBlocks(f, { counter, step: 1, size, body: () => nest(depth + 1) }, own);
    };
    nest(0);
  }

  /** What counts the indices of a block. */
  coordinates(isByLane: boolean): Coordinate[] {
    const all = [...this.#outer, ...this.#inner];
    return all.map(([size, local], i) => ({
      local,
      size,
      isByLane: isByLane && i === all.length - 1,
    }));
  }

  /** Runs over the indices of a block of so many, the last digit in steps where it is by lanes. */
  within(count: number, write: () => void, lanes?: (start: LastDigit) => void): void {
    const { f, base } = this;
    if (!this.#isOne) {
      const nest = (depth: number): void => {
        const [size, local] = this.#inner[depth];
        const isLast = depth === this.#inner.length - 1;
        if (isLast && lanes) lanes({ local, size, base: null });
        else f.count(local, 1, size, isLast ? write : () => nest(depth + 1));
      };
      nest(0);
      return;
    }
    const [[, local]] = this.#inner;
    if (lanes) {
      lanes({ local, size: count, base });
      return;
    }
    f.move(local, base);
    f.repeat(() => {
      write();
      f.get(local).i32(1).emit(ADD).tee(local);
      f.get(base).i32(count).emit(ADD, NOT_EQUAL);
    });
  }
}

/** A loop over the last digit, from 0 on or from where a block begins. */
export interface LastDigit {
  readonly local: number;
  readonly size: number;
  readonly base: number | null;
}

/** Digits that count blocks of about a size, and those within a block. */
function cut(digits: readonly number[], wanted: number): [outer: number[], inner: number[]] {
  const outer = [...digits];
  const inner: number[] = [];
  for (let size = 1; outer.length > 0; ) {
    const digit = outer.pop() as number;
    const room = Math.max(1, Math.floor(wanted / size));
    let own = Math.min(digit, room);
    while (digit % own > 0) own--;
    // Blocks that are much too short cost more than those that are too long.
    if (own * size < wanted / 16) own = digit;
    if (own > 1 || inner.length === 0) inner.unshift(own);
    size *= own;
    if (own === digit) continue;
    outer.push(digit / own);
    break;
  }
  return [outer, inner];
}
