import type { Position } from "../../../forms/position.ts";
import { I32 } from "./assembler.ts";
import type { Coordinate } from "./counted-places.ts";
import type { GroupWriter, Stretch } from "./group-writer.ts";
import type { Vector } from "./vector-body.ts";

/** Where rows are no longer, lanes are rows: neighbours would be joined more often than filled. */
const SHORT = 16;

/** So few rows leave lanes empty. */
const FEW = 4;

/** Where lanes are rows, so many run at once. */
export const ROWS_AT_ONCE = 16;

/** Rows whose lanes are neighbours, or four rows a lane each, of which several run at once. */
export interface RowBlock {
  /**
   * For each vector of rows, the first row from the counter on, and how many there are; or for each
   * vector of a row, its first element.
   */
  readonly parts: readonly { readonly add: number; readonly count: number }[];
}

/** One stretch of code for some rows at once. */
export interface RowStretch extends Pick<Stretch, "body" | "writer"> {
  readonly stretch: Stretch;
  readonly at: readonly Position<Vector>[];
}

/** How rows are run over. */
interface RowWay {
  /** Whether lanes are neighbours in a row. */
  readonly isAlong: boolean;
  /** Sizes of the digits of a row's number and of an element's in it, the last of which runs by lanes. */
  readonly digits: readonly (readonly number[])[];
}

/** A digit, and the local that counts it. */
type CountedDigit = Required<Pick<Coordinate, "size" | "local">>;

/** Loops over rows [ROWS, LENGTH]. */
export class RowLoops {
  /** What counts the digits of a row's number, and of an element's in its row. */
  readonly rows: readonly CountedDigit[];
  readonly items: readonly CountedDigit[];

  constructor(
    readonly group: GroupWriter,
    readonly shape: readonly number[],
    readonly way: RowWay,
  ) {
    [this.rows, this.items] = way.digits.map((sizes) =>
      sizes.map((size) => ({ size, local: group.f.local(I32) })),
    );
  }

  /** The local that counts the last digit of an element's number in its row. */
  get item(): number {
    return this.items[this.items.length - 1].local;
  }

  /** A block of so many rows. */
  block(rows: number): RowBlock {
    if (this.way.isAlong) return { parts: [{ add: 0, count: 4 }] };
    const parts = Array.from({ length: Math.ceil(rows / 4) }, (_, i) => {
      return { add: 4 * i, count: Math.min(4, rows - 4 * i) };
    });
    return { parts };
  }

  /**
   * A stretch of code at some rows, and elements of them or not.
   * @param count how many lanes of neighbours are stored.
   */
  stretch({ parts }: RowBlock, count: number, hasItems: boolean): RowStretch {
    const { isAlong } = this.way;
    const counts = parts.map((part) => (isAlong ? count : part.count));
    const stretch = this.group.stretch(counts, hasItems ? this.item : undefined);
    const shape = hasItems ? this.shape : this.shape.slice(0, 1);
    const at = parts.map(({ add }) => {
      const [down, right] = isAlong ? [0, add] : [add, 0];
      const rows = coordinates(this.rows, down, !isAlong);
      const items = hasItems ? coordinates(this.items, right, isAlong) : [];
      return stretch.places.position(shape, [...rows, ...items]);
    });
    return { stretch, body: stretch.body, writer: stretch.writer, at };
  }
}

function coordinates(
  digits: readonly CountedDigit[],
  add: number,
  isByLane: boolean,
): Coordinate[] {
  const last = digits.length - 1;
  return digits.map((one, i) => (i === last ? { ...one, add, isByLane } : one));
}

/**
 * Has lanes be neighbours in a row where all that is read lies side by side, or is one value, and
 * rows else, whose numbers are cut into digits where their elements are looked for by such.
 */
export function chooseRows(group: GroupWriter, input: number): RowWay {
  const { shape } = group.program[input];
  const trial = (way: RowWay) => {
    const loops = new RowLoops(group.again(), shape, way);
    const { stretch, at } = loops.stretch({ parts: [{ add: 0, count: 4 }] }, 4, true);
    stretch.elements.element(input, at[0]);
    const { accesses, elements, places } = stretch;
    const cut = () => [loops.rows, loops.items].map(([one]) => places.digits(one));
    return { accesses, cut, isGathered: elements.isGathered };
  };
  const digits = shape.map((n) => [n]);
  const along = { isAlong: true, digits };
  const { accesses, isGathered } = trial(along);
  const isNext = !isGathered && accesses.every(({ stride }) => Math.abs(stride) <= 1);
  if ((isNext || shape[0] < FEW) && shape[1] > SHORT) return along;
  const across = { isAlong: false, digits };
  const whole = trial(across);
  if (!whole.isGathered) return across;
  const cut = { isAlong: false, digits: whole.cut() };
  return trial(cut).isGathered ? across : cut;
}
