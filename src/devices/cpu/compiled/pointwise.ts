/*
 * Groups of pointwise steps: loops over the elements, four at a time along the innermost axis. Axes
 * are joined where everything that is read lies as if they were one.
 */
import { type Shape, sizeOf } from "../../../core/shape.ts";
import type { Group } from "../../../engine/fusion.ts";
import { FunctionWriter, I32 } from "./assembler.ts";
import type { Access, GroupElements, Results } from "./elements.ts";
import { type GroupCode, type GroupContext, pointersOf, refusingSteps } from "./group-code.ts";
import { type Stretch, stretchOf } from "./stretch.ts";

/** The sizes of an axis cut into digits by divisors that divide each other; else its own. */
export function digitSizes(n: number, divisors: ReadonlySet<number>): number[] {
  const chain = [1, ...[...divisors].filter((d) => d < n).sort((a, b) => a - b), n];
  const parts = chain.slice(1).map((d, i) => d / chain[i]);
  return parts.every(Number.isInteger) ? parts.reverse() : [n];
}

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
    if (sizeOf(this.#domain) === 0) this.#begin([]);
    else this.#loops(this.#shape());
    return { function: this.#f, steps: this.#steps, scratch: 0 };
  }

  /** Begins a function with a counter for each axis. */
  #begin(shape: Shape): void {
    this.#f = new FunctionWriter([...this.#steps, 0].map(() => I32));
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
      const parts = all.flatMap((n, axis) => digitSizes(n, this.#divisors(axis)));
      accesses = this.#try(parts);
      if (!accesses) return all;
      all = parts;
    }
    const joined: number[] = [];
    const isOne = (axis: number) =>
      accesses.every(({ counts }) => {
        const [outer, inner] = [axis - 1, axis].map((i) => counts.get(this.#counters[i]) ?? 0);
        return outer === inner * all[axis];
      });
    all.forEach((n, axis) => {
      if (axis > 0 && isOne(axis)) joined.push((joined.pop() as number) * n);
      else joined.push(n);
    });
    return this.#try(joined) ? joined : all;
  }

  #divisors(axis: number): ReadonlySet<number> {
    return this.#tried?.divisors.get(this.#counters[axis]) ?? new Set();
  }

  /** Where elements lie in loops over a shape; null where not all of it is counted. */
  #try(shape: Shape): readonly Access[] | null {
    this.#begin(shape);
    const { elements } = this.#stretch(shape, 4);
    this.#tried = elements;
    const isCounted = elements.accesses.every(({ values }) => values.length === 0);
    return elements.isGathered || !isCounted ? null : elements.accesses;
  }

  #loops(shape: Shape): void {
    this.#begin(shape);
    const n = shape[shape.length - 1];
    const whole = this.#stretch(shape, 4);
    // What is beyond the end of one axis is padding: of what is written, too.
    const isPadded =
      shape.length === 1 &&
      refusingSteps(this.context.schedule, this.group).length === 0 &&
      !whole.elements.isGathered &&
      whole.elements.accesses.every(
        ({ stride, values }) => (stride & ~1) === 0 && values.length === 0,
      );
    const rest = isPadded ? 0 : n % 4;
    const end = isPadded ? 4 * Math.ceil(n / 4) : n - rest;
    const part = rest > 0 ? this.#stretch(shape, rest) : null;
    this.#nest(shape, 0, () => {
      const f = this.#f;
      const inner = this.#counters[shape.length - 1];
      f.i32(0).set(inner);
      if (end > 0) {
        whole.elements.start();
        whole.body.prepare(whole.roots);
        f.count(inner, 4, end, () => this.#emit(whole));
      }
      if (part) {
        part.elements.start();
        this.#emit(part);
      }
    });
  }

  #emit({ body, roots, store }: StoringStretch): void {
    store(body.emit(roots));
  }

  #nest(shape: Shape, axis: number, body: () => void): void {
    if (axis === shape.length - 1) {
      body();
      return;
    }
    this.#f.count(this.#counters[axis], 1, shape[axis], () => this.#nest(shape, axis + 1, body));
  }

  /** What is computed and stored for `count` elements side by side. */
  #stretch(shape: Shape, count: number): StoringStretch {
    const inner = this.#counters[shape.length - 1];
    const stretch = stretchOf(this.context, this.group, this.#f, this.#steps, count, inner);
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
