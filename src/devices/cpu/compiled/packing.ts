/*
 * A product's operand that is no plain strides, as the windows of a convolution, or whose rows fall on
 * each other in a cache: blocks of it are put in order before they are multiplied. Loops run over the
 * digits that its place is made of, so that nothing is divided.
 */
import { sizeOf } from "../../../core/shape.ts";
import { I32 } from "./assembler.ts";
import type { BlockedAxis, LastDigit } from "./blocked-axis.ts";
import type { Coordinate } from "./counted-places.ts";
import { joinedDigits } from "./digits.ts";
import type { GroupWriter } from "./group-writer.ts";
import { ADD, NOT_EQUAL } from "./instructions.ts";
import * as simd from "./simd.ts";

/** How an operand is put in order. */
export interface Packing {
  readonly step: number;
  /** Sizes of the digits of its rows and columns. */
  readonly digits: readonly (readonly number[])[];
  /** Whether neighbours along a row are loaded together, or along a column. */
  readonly isAlongRows: boolean;
}

/** Finds how an operand, a matrix or a stack of such, is put in order. */
export function packingOf(group: GroupWriter, step: number): Packing {
  const [rows, columns] = group.program[step].shape.slice(-2);
  const found = [true, false].map((isAlongRows) => {
    let digits = [[rows], [columns]];
    let found = trial(group, step, digits, isAlongRows);
    if (!found.isCounted) {
      const other = trial(group, step, found.split(), isAlongRows);
      if (other.isCounted) found = other;
    }
    const { accesses, isCounted } = found;
    if (isCounted) digits = found.joined();
    const isAlong = isCounted && accesses.every(({ stride }) => stride >> 1 === 0);
    return { step, digits, isAlongRows, isAlong };
  });
  return found.find(({ isAlong }) => isAlong) ?? found[0];
}

/** Writes an operand whose place is made of digits, to see where its elements lie. */
function trial(
  group: GroupWriter,
  step: number,
  digits: readonly (readonly number[])[],
  isAlongRows: boolean,
) {
  const { shape } = group.program[step];
  const own = group.again();
  const batch = sizeOf(shape.slice(0, -2));
  const [first, ...axes] = [[batch], ...digits].map((sizes) =>
    sizes.map((size) => ({ local: own.f.local(I32), size })),
  );
  const last = axes[isAlongRows ? 1 : 0].at(-1)?.local;
  const stretch = own.stretch([4], last);
  const { accesses, elements, places } = stretch;
  const at = [first, ...axes].flat().map((one) => ({ ...one, isByLane: one.local === last }));
  elements.element(step, places.position(shape, at));
  const split = () => axes.map(([one]) => places.digits(one));
  const joined = () =>
    axes.map((all, i) =>
      joinedDigits(
        digits[i],
        all.map(({ local }) => local),
        accesses,
      ),
    );
  return { accesses, split, joined, isCounted: stretch.isCounted };
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
  group: GroupWriter,
  { step, isAlongRows }: Packing,
  { batch, axes, sizes, to }: PackedBlock,
): void {
  const { f, program } = group;
  const [across, along] = isAlongRows ? axes : [axes[1], axes[0]];
  const [count, length] = isAlongRows ? sizes : [sizes[1], sizes[0]];
  const coordinates = [
    batch,
    ...axes[0].coordinates(!isAlongRows),
    ...axes[1].coordinates(isAlongRows),
  ];
  const begin = (local: number, lanes: number) => {
    const stretch = group.stretch([lanes], local);
    const at = stretch.places.position(program[step].shape, coordinates);
    return { stretch, roots: [stretch.elements.element(step, at)] };
  };
  /** Stores four; what is too much is written over by what comes next. */
  const store = ([value]: readonly number[], lanes: number) => {
    f.get(to).get(value).vectorMemory(simd.v128_store, 2, 0);
    f.move(to, to, 4 * lanes);
  };
  const lanes = ({ local, size, base }: LastDigit) => {
    const rest = size % 4;
    if (base === null) f.i32(0);
    else f.get(base);
    f.set(local);
    if (size >= 4) {
      const { stretch, roots } = begin(local, 4);
      stretch.prepare(roots);
      f.repeat(() => {
        store(stretch.body.emit(roots), 4);
        f.get(local).i32(4).emit(ADD).tee(local);
        f.i32(size - rest);
        if (base !== null) f.get(base).emit(ADD);
        f.emit(NOT_EQUAL);
      });
    }
    if (rest === 0) return;
    const { stretch, roots } = begin(local, rest);
    store(stretch.emit(roots), rest);
  };
  const gap = 4 * (pitchOf(length) - length);
  across.within(count, () => {
    along.within(length, () => {}, lanes);
    if (gap > 0) f.move(to, to, gap);
  });
}
