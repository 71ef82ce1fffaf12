/*
 * A product's operand that is no plain strides, as the windows of a convolution, or whose rows fall on
 * each other in a cache: blocks of it are put in order before they are multiplied. Loops run over the
 * digits that its place is made of, so that nothing is divided.
 */
import { type Shape, sizeOf } from "../../../core/shape.ts";
import type { Group } from "../../../engine/fusion.ts";
import { FunctionWriter, I32 } from "./assembler.ts";
import { type Share, writeBlocks } from "./blocks.ts";
import { digitSizes, joinedDigits } from "./digits.ts";
import type { Coordinate, GroupElements } from "./elements.ts";
import type { GroupContext } from "./group-code.ts";
import { ADD, MULTIPLY, NOT_EQUAL } from "./instructions.ts";
import * as simd from "./simd.ts";
import { type Stretch, stretchOf } from "./stretch.ts";

type CountedDigit = readonly [size: number, local: number];

/** An axis of a product, of which one block at a time is computed. */
export class BlockedAxis {
  /** The local with the index at which a block begins. */
  readonly base: number;
  /** Digits of an index that count blocks, and within a block: their sizes and locals. */
  readonly #outer: readonly CountedDigit[];
  readonly #inner: readonly CountedDigit[];
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
      sizes.map((one): CountedDigit => [one, f.local(I32)]);
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
        f.get(base).i32(block).emit(ADD).set(base);
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
    f.get(base).set(local);
    f.repeat(() => {
      write();
      f.get(local).i32(1).emit(ADD).tee(local);
      f.get(base).i32(count).emit(ADD, NOT_EQUAL);
    });
  }
}

/** A loop over the last digit, from 0 on or from where a block begins. */
interface LastDigit {
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

/** How an operand is put in order. */
export interface Packing {
  readonly step: number;
  /** Sizes of the digits of its rows and columns. */
  readonly digits: readonly [rows: readonly number[], columns: readonly number[]];
  /** Whether neighbours along a row are loaded together, or along a column. */
  readonly isAlongRows: boolean;
}

/** Finds how an operand, a matrix or a stack of such, is put in order. */
export function packingOf(
  context: GroupContext,
  group: Group,
  steps: readonly number[],
  step: number,
): Packing {
  const { shape } = context.schedule.program.steps[step];
  const [rows, columns] = shape.slice(-2);
  const batch = sizeOf(shape.slice(0, -2));
  const found = [true, false].map((isAlongRows) => {
    const written = (digits: Packing["digits"]) =>
      trial(context, group, steps, step, batch, digits, isAlongRows);
    let digits: Packing["digits"] = [[rows], [columns]];
    let found = written(digits);
    if (!found.isCounted) {
      const split = [rows, columns].map((n, i) =>
        digitSizes(n, found.elements.divisors.get(found.locals[i][0])),
      ) as [number[], number[]];
      const other = written(split);
      if (other.isCounted) [found, digits] = [other, split];
    }
    const isAlong =
      found.isCounted && found.elements.accesses.every(({ stride }) => stride >> 1 === 0);
    if (found.isCounted) {
      const { elements, locals } = found;
      const [rows, columns] = digits.map((sizes, i) =>
        joinedDigits(sizes, locals[i], elements.accesses),
      );
      digits = [rows, columns];
    }
    return { step, digits, isAlongRows, isAlong };
  });
  return found.find(({ isAlong }) => isAlong) ?? found[0];
}

interface Trial {
  readonly elements: GroupElements;
  /** The locals of digits of rows and columns. */
  readonly locals: readonly (readonly number[])[];
  readonly isCounted: boolean;
}

function trial(
  context: GroupContext,
  group: Group,
  steps: readonly number[],
  step: number,
  batch: number,
  digits: Packing["digits"],
  isAlongRows: boolean,
): Trial {
  const f = new FunctionWriter([...steps, 0].map(() => I32));
  const counted = (sizes: readonly number[]) =>
    sizes.map((size) => ({ local: f.local(I32), size }));
  const [first, rows, columns] = [[batch], ...digits].map(counted);
  const last = (isAlongRows ? columns : rows).at(-1)?.local;
  const { elements } = stretchOf(context, group, f, steps, 4, last);
  const at = [...first, ...rows, ...columns].map((one) => ({
    ...one,
    isByLane: one.local === last,
  }));
  elements.element(step, elements.position(context.schedule.program.steps[step].shape, at));
  const isCounted =
    !elements.isGathered && elements.accesses.every(({ values }) => values.length === 0);
  return {
    elements,
    locals: [rows, columns].map((all) => all.map(({ local }) => local)),
    isCounted,
  };
}

/** Elements from one row of a block in order to the next, or from one column. */
export function pitchOf(length: number): number {
  const pitch = 4 * Math.ceil(length / 4);
  // Rows that lie a power of two apart fall on each other in a cache.
  return pitch % 128 === 0 ? pitch + 16 : pitch;
}

/** A block that is put in order. */
interface PackedBlock {
  readonly batch: Coordinate;
  readonly axes: readonly [rows: BlockedAxis, columns: BlockedAxis];
  readonly sizes: readonly [rows: number, columns: number];
  /** The local with the address at which it is written, which moves behind it. */
  readonly to: number;
}

/** Writes what puts a block of an operand in order. */
export function writePacking(
  context: GroupContext,
  group: Group,
  f: FunctionWriter,
  steps: readonly number[],
  { step, isAlongRows }: Packing,
  { batch, axes, sizes, to }: PackedBlock,
): void {
  const shape: Shape = context.schedule.program.steps[step].shape;
  const [across, along] = isAlongRows ? axes : [axes[1], axes[0]];
  const [count, length] = isAlongRows ? sizes : [sizes[1], sizes[0]];
  const move = (bytes: number) => f.get(to).i32(bytes).emit(ADD).set(to);
  const coordinates = [
    batch,
    ...axes[0].coordinates(!isAlongRows),
    ...axes[1].coordinates(isAlongRows),
  ];
  const begin = (local: number, lanes: number) => {
    const stretch = stretchOf(context, group, f, steps, lanes, local);
    const at = stretch.elements.position(shape, coordinates);
    const roots = [stretch.elements.element(step, at)];
    stretch.elements.start();
    return { ...stretch, roots };
  };
  /** Stores four; what is too much is written over by what comes next. */
  const store = ({ body, roots }: Stretch & { roots: number[] }, lanes: number) => {
    const [value] = body.emit(roots);
    f.get(to).get(value).vectorMemory(simd.v128_store, 2, 0);
    move(4 * lanes);
  };
  const lanes = ({ local, size, base }: LastDigit) => {
    const rest = size % 4;
    if (base === null) f.i32(0);
    else f.get(base);
    f.set(local);
    if (size >= 4) {
      const stretch = begin(local, 4);
      stretch.body.prepare(stretch.roots);
      f.repeat(() => {
        store(stretch, 4);
        f.get(local)
          .i32(4)
          .emit(ADD)
          .tee(local)
          .i32(size - rest);
        if (base !== null) f.get(base).emit(ADD);
        f.emit(NOT_EQUAL);
      });
    }
    if (rest > 0) store(begin(local, rest), rest);
  };
  across.within(count, () => {
    along.within(length, () => {}, lanes);
    move(4 * (pitchOf(length) - length));
  });
}
