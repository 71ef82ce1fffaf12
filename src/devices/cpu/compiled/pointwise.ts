/*
 * Groups of pointwise steps: loops over the elements, four at a time along the innermost axis. Axes
 * are joined where everything that is read lies as if they were one.
 */
import { type Shape, sizeOf } from "../../../core/shape.ts";
import type { Group } from "../../../engine/fusion.ts";
import { FunctionWriter, I32 } from "./assembler.ts";
import { unitsOf, writeBlocks } from "./blocks.ts";
import { digitSizes, joinedDigits } from "./digits.ts";
import type { Access, GroupElements, Results } from "./elements.ts";
import {
  beginGroup,
  type GroupCode,
  type GroupContext,
  type KeptMemory,
  pointersOf,
  refusingSteps,
} from "./group-code.ts";
import { type Stretch, stretchOf } from "./stretch.ts";

/** An axis with so many units is shared out evenly. */
const MANY_UNITS = 16;

/** What one stretch of code computes for up to four elements. */
type StoringStretch = Stretch & Results;

/** The code of a group of pointwise steps. */
export function pointwiseCode(context: GroupContext, group: Group): GroupCode {
  return new PointwiseWriter(context, group).write();
}

class PointwiseWriter {
  /** The shape over whose elements it runs. */
  readonly #domain: Shape;
  readonly #steps: readonly number[];
  #f!: FunctionWriter;
  #counters: readonly number[] = [];
  #keptBytes = 0;
  /** What was written last to see where elements lie. */
  #tried?: GroupElements;

  constructor(
    readonly context: GroupContext,
    readonly group: Group,
  ) {
    this.#domain = context.schedule.domain(group);
    this.#steps = pointersOf(context, group);
  }

  write(): GroupCode {
    const size = sizeOf(this.#domain);
    if (size === 0) this.#begin([]);
    const units = size === 0 ? undefined : this.#loops(this.#shape());
    const scratch = this.#keptBytes;
    return { function: this.#f, steps: this.#steps, scratch, isKept: scratch > 0, units };
  }

  /** Begins a function with a counter for each axis. */
  #begin(shape: Shape, f = new FunctionWriter([...this.#steps, 0].map(() => I32))): void {
    this.#f = f;
    this.#counters = shape.map(() => this.#f.local(I32));
  }

  /** The axes of the loops: as few as what is read allows. */
  #shape(): Shape {
    const one = [sizeOf(this.#domain)];
    if (this.#domain.length <= 1 || this.#try(one)) return one;
    let all = this.#domain.filter((n) => n !== 1);
    if (all.length === 0) return one;
    let accesses = this.#try(all);
    if (!accesses) {
      // As axes are cut where elements are looked for.
      const divisors = this.#tried?.divisors;
      const counters = this.#counters;
      const parts = all.flatMap((n, axis) => digitSizes(n, divisors?.get(counters[axis])));
      accesses = this.#try(parts);
      if (!accesses) return all;
      all = parts;
    }
    const joined = joinedDigits(all, this.#counters, accesses);
    return this.#try(joined) ? joined : all;
  }

  /** Where elements lie in loops over a shape; null where not all of it is counted. */
  #try(shape: Shape): readonly Access[] | null {
    this.#begin(shape);
    const { elements } = this.#stretch(shape, 4);
    this.#tried = elements;
    const isCounted = elements.accesses.every(({ values }) => values.length === 0);
    return elements.isGathered || !isCounted ? null : elements.accesses;
  }

  /** Writes the loops; gives how many units they have, if they are shared out. */
  #loops(shape: Shape): number | undefined {
    const last = shape.length - 1;
    this.#begin(shape);
    const isPadded = shape.length === 1 && this.#endsInPadding(this.#stretch(shape, 4));
    const { unit = 4 } = this.context.sharing ?? {};
    const sizes = shape.map((n, axis) => {
      const step = axis === last ? 4 : 1;
      const size = isPadded ? 4 * Math.ceil(n / 4) : n;
      return { size, step, grain: axis === last ? Math.ceil(unit / 4) : 1 };
    });
    // The outermost loop that is long enough to be shared out.
    const all = sizes.map(unitsOf);
    const axis = Math.max(
      0,
      all.findIndex((n) => n >= MANY_UNITS),
    );
    // Threads would write at once what is kept.
    const sharing = this.#keptBytes > 0 ? null : this.context.sharing;
    const context = { ...this.context, sharing };
    const { f, share } = beginGroup(context, this.group, this.#steps, all[axis]);
    this.#begin(shape, f);
    const whole = this.#stretch(shape, 4);
    const nest = (i: number) => {
      const before = () => {
        whole.elements.start();
        whole.body.prepare(whole.roots);
      };
      const body = (count: number) => {
        if (i < last) nest(i + 1);
        else if (count === 4) this.#emit(whole);
        else this.#emitOnce(this.#stretch(shape, count));
      };
      const blocks = { ...sizes[i], counter: this.#counters[i], body };
      writeBlocks(f, i < last ? blocks : { ...blocks, before }, i === axis ? share : undefined);
    };
    nest(0);
    return share && all[axis];
  }

  /** Whether what is beyond the end of the only axis is padding: of what is written, too. */
  #endsInPadding({ elements }: Stretch): boolean {
    if (refusingSteps(this.context.schedule, this.group).length > 0) return false;
    const isNext = ({ stride, values }: Access) => (stride & ~1) === 0 && values.length === 0;
    return !elements.isGathered && elements.accesses.every(isNext);
  }

  #emitOnce(stretch: StoringStretch): void {
    stretch.elements.start();
    this.#emit(stretch);
  }

  #emit({ body, roots, store }: StoringStretch): void {
    store(body.emit(roots));
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
    return { pointer: this.#steps.length, take };
  }

  /** What is computed and stored for `count` elements side by side. */
  #stretch(shape: Shape, count: number): StoringStretch {
    const inner = this.#counters[shape.length - 1];
    const memory = this.#memory();
    const stretch = stretchOf(this.context, this.group, this.#f, this.#steps, count, inner, memory);
    const { elements } = stretch;
    const at = elements.position(
      this.#domain,
      shape.map((size, axis) => {
        return { local: this.#counters[axis], size, isByLane: axis === shape.length - 1 };
      }),
    );
    return { ...stretch, ...elements.results(at) };
  }
}
