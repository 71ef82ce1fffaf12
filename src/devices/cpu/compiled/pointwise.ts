/*
 * Groups of pointwise steps: loops over the elements, four at a time along the innermost axis. Axes
 * are joined where everything that is read lies as if they were one.
 */
import { type Shape, sizeOf } from "../../../core/shape.ts";
import type { Access } from "./addresses.ts";
import { I32 } from "./assembler.ts";
import { unitsOf, writeBlocks } from "./blocks.ts";
import { joinedDigits } from "./digits.ts";
import { joinedResults, type Results } from "./elements.ts";
import { type GroupCode, type KeptMemory, refusingSteps } from "./group-code.ts";
import type { GroupWriter, Stretch } from "./group-writer.ts";
import { TurnedTiles } from "./tiles.ts";

/** An axis with so many units is shared out evenly. */
const MANY_UNITS = 16;

/** Along an axis of tiles so many elements are run over at once: a line of a cache. */
const TILED = 16;

/** Loops of so many elements are shorter than divisions in one loop. */
const LONG = 16;

/** What one stretch of code computes for up to four elements. */
interface StoringStretch {
  readonly stretch: Stretch;
  readonly results: Results;
}

/** The code of a group of pointwise steps. */
export function pointwiseCode(group: GroupWriter): GroupCode {
  return new PointwiseWriter(group).write();
}

class PointwiseWriter {
  /** The shape over whose elements it runs. */
  readonly #domain: Shape;
  #counters: readonly number[] = [];
  #keptBytes = 0;
  /** What was written last to see where elements lie. */
  #tried?: Stretch;

  constructor(private writer: GroupWriter) {
    const { context, group } = writer;
    this.#domain = context.schedule.domain(group);
  }

  write(): GroupCode {
    const size = sizeOf(this.#domain);
    const units = size === 0 ? undefined : this.#loops(this.#shape());
    const scratch = this.#keptBytes;
    return this.writer.code(scratch, units, scratch > 0);
  }

  /** Begins a function with a counter for each axis. */
  #begin(shape: Shape, writer = this.writer.again()): void {
    this.writer = writer;
    this.#counters = shape.map(() => writer.f.local(I32));
  }

  /** The axes of the loops: as few as what is read allows, and no fewer than what is divided is cut into. */
  #shape(): Shape {
    const one = [sizeOf(this.#domain)];
    const isOne = this.#try(one) !== null;
    const cut = this.#digits(one);
    const isWorth = !isOne || cut[cut.length - 1] >= LONG;
    if (cut.length > 1 && isWorth && this.#try(cut)) return cut;
    if (isOne) return one;
    let all = this.#domain.filter((n) => n !== 1);
    if (all.length < 2) return one;
    let accesses = this.#try(all);
    if (!accesses) {
      // As axes are cut where elements are looked for.
      const parts = this.#digits(all);
      accesses = this.#try(parts);
      if (!accesses) return all;
      all = parts;
    }
    const joined = joinedDigits(all, this.#counters, accesses);
    return this.#try(joined) ? joined : all;
  }

  /** The digits that axes are cut into where elements were looked for last. */
  #digits(shape: Shape): number[] {
    const { places } = this.#tried as Stretch;
    const counters = this.#counters;
    return shape.flatMap((size, axis) => places.digits({ size, local: counters[axis] }));
  }

  /** Where elements lie in loops over a shape; null where not all of it is counted. */
  #try(shape: Shape): readonly Access[] | null {
    this.#begin(shape);
    const { stretch } = this.#stretch(shape, 4);
    this.#tried = stretch;
    return stretch.isCounted ? stretch.accesses : null;
  }

  /** Writes the loops; gives how many units they have. */
  #loops(shape: Shape): number {
    const last = shape.length - 1;
    this.#begin(shape);
    const { accesses, isCounted } = this.#stretch(shape, 4).stretch;
    const isPadded = shape.length === 1 && this.#endsInPadding(accesses, isCounted);
    const { unit } = this.writer.context.sharing;
    // The axis that is run over in tiles, if there is one.
    const tiled = this.#counters.findIndex((local, i) => {
      const tiles = new TurnedTiles(local);
      return i < last && accesses.some((access) => tiles.fits(access));
    });
    const sizes = shape.map((n, axis) => {
      const step = axis === last ? 4 : axis === tiled ? TILED : 1;
      const size = isPadded ? 4 * Math.ceil(n / 4) : n;
      return { size, step, grain: axis === last ? Math.ceil(unit / 4) : 1 };
    });
    // The outermost loop that is long enough to be shared out.
    const all = sizes.map(unitsOf);
    const long = all.findIndex((n) => n >= MANY_UNITS);
    const axis = Math.max(0, long);
    // Threads would write at once what is kept.
    const isAlone = this.#keptBytes > 0;
    this.#begin(shape, isAlone ? this.writer.again() : this.writer.begin(all[axis]));
    const { f, share } = this.writer;
    const { stretch, results } = this.#stretch(shape, 4);
    let rows = 1;
    const nest = (i: number) => {
      const body = (count: number) => {
        if (i === tiled) rows = count;
        if (i < last) nest(i + 1);
        else if (tiled >= 0) this.#tiles(shape, tiled, rows, count);
        else if (count === 4) results.store(stretch.body.emit(results.roots));
        else {
          const rest = this.#stretch(shape, count);
          rest.stretch.finish(rest.results);
        }
      };
      const isPrepared = i === last && tiled < 0;
      const before = isPrepared ? () => stretch.prepare(results.roots) : undefined;
      const blocks = { ...sizes[i], counter: this.#counters[i], before, body };
      writeBlocks(f, blocks, i === axis ? share : undefined);
    };
    nest(0);
    return all[axis];
  }

  /** Writes what runs along an axis from where its loop stands, four at a time. */
  #tiles(shape: Shape, axis: number, rows: number, count: number): void {
    const { f } = this.writer;
    const [begin, end] = [f.local(I32), f.local(I32)];
    const counter = this.#counters[axis];
    const rest = rows % 4;
    f.move(begin, counter);
    if (rows > rest) {
      f.move(end, counter, rows - rest);
      const { stretch, results } = this.#stretch(shape, count, axis, 4);
      stretch.prepare(results.roots);
      f.repeat(() => {
        results.store(stretch.body.emit(results.roots));
        f.advance(counter, 4, end);
      });
    }
    if (rest > 0) {
      const { stretch, results } = this.#stretch(shape, count, axis, rest);
      stretch.finish(results);
    }
    f.move(counter, begin);
  }

  /** Whether what is beyond the end of the only axis is padding: of what is written, too. */
  #endsInPadding(accesses: readonly Access[], isCounted: boolean): boolean {
    const { context, group } = this.writer;
    const { scattered } = context.schedule;
    const isScattered = group.outputs.some((output) => scattered.has(output));
    const isWhole = !isScattered && refusingSteps(context.schedule, group).length === 0;
    return isWhole && isCounted && accesses.every(({ stride }) => (stride & ~1) === 0);
  }

  /** Memory that is kept, of which all stretches take the same parts. */
  #memory(): KeptMemory {
    let bytes = 0;
    const take = (wanted: number) => {
      const offset = bytes;
      bytes += wanted;
      this.#keptBytes = Math.max(this.#keptBytes, bytes);
      return offset;
    };
    return { pointer: this.writer.scratch, take };
  }

  /**
   * What is computed and stored for `count` elements side by side; in so many rows one behind the other
   * along an axis, where that is the innermost one.
   */
  #stretch(shape: Shape, count: number, axis?: number, rows = 1): StoringStretch {
    const last = shape.length - 1;
    const counters = this.#counters;
    const counts = new Array<number>(rows).fill(count);
    const tiles = rows === 4 && count === 4 ? new TurnedTiles(counters[axis ?? last]) : undefined;
    const stretch = this.writer.stretch(counts, counters[axis ?? last], this.#memory(), tiles);
    const all = stretch.all.map((one, row) => {
      const at = stretch.places.position(
        this.#domain,
        shape.map((size, i) => ({
          local: counters[i],
          size,
          add: i === axis ? row : 0,
          isByLane: i === last,
        })),
      );
      return one.results(at);
    });
    return { stretch, results: joinedResults(all) };
  }
}
