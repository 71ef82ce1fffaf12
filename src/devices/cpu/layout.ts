import { DataMap } from "../../core/data-map.ts";
import { DTYPES, type DType, type NumericArray } from "../../core/dtype.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { contiguous, isContiguous, type Strided } from "../../core/strided.ts";
import { copyStrided } from "../../core/strided-loops.ts";
import type { TensorType } from "../../core/tensor-type.ts";
import { type Lifetime, planMemory } from "../../engine/memory-plan.ts";
import { callKey, type Program, type Step } from "../../engine/program.ts";
import type { IndexMap } from "../../forms/map.ts";
import { viewMap, viewOf } from "../../forms/strided-map.ts";
import type { Attributes, Op } from "../../graph/op.ts";
import { fastest } from "./plain-form.ts";

/** A view whose array comes later, and may change from run to run. */
export type View = { -readonly [K in keyof Strided]: Strided[K] };

/** What stands in a view for an array that is not there. */
export const NO_DATA: NumericArray = /* @__PURE__ */ new Uint8Array(0);

/** An array that a source brings or a task writes, with all views of it. */
export class Base {
  readonly size: number;
  readonly whole: View;
  readonly views: View[];
  /** The task that reads it last; infinite when it is needed after all of them. */
  lastRead = -1;

  constructor(
    readonly dtype: DType,
    shape: Shape,
  ) {
    this.size = sizeOf(shape);
    this.whole = contiguous(NO_DATA, shape);
    this.views = [this.whole];
  }

  /** Gives all views their array. */
  bind(data: NumericArray): void {
    for (const view of this.views) view.data = data;
  }

  /** Sees the first bytes of a buffer as its elements. */
  over(buffer: ArrayBuffer): NumericArray {
    return new DTYPES[this.dtype].array(buffer, 0, this.size);
  }

  /** Bytes of one element. */
  get elementBytes(): number {
    return DTYPES[this.dtype].array.BYTES_PER_ELEMENT;
  }

  /** Takes the array away, so that it can be collected. */
  unbind(): void {
    this.bind(NO_DATA);
  }
}

/** One op that computes, with its operands. */
export interface Task {
  readonly name: string;
  /** What it computes, of what; null where it copies. */
  readonly op: Op | null;
  readonly types: readonly TensorType[];
  readonly dtype: DType;
  /** Bytes read and written, each value once. */
  bytes: number;
  readonly cpu: NonNullable<Op["cpu"]>;
  readonly y: View;
  readonly inputs: readonly View[];
  readonly attributes: Attributes;
}

/** A value and the array that it is a view of. */
export interface Value {
  readonly view: View;
  readonly base: Base;
}

/** A buffer, and the arrays that lie in it one after the other. */
export interface Slot {
  readonly bytes: number;
  readonly bases: Base[];
}

/**
 * Lists what computes a program's steps, in order; ops that only move elements become views.
 * Nothing in it depends on the arrays that the views are going to have.
 */
export class Layout {
  readonly values: Value[] = [];
  readonly tasks: Task[] = [];
  /** What tasks write, each by the number of its task. */
  readonly #writes: { readonly base: Base; readonly at: number }[] = [];
  /** The tasks of ops with several results, and these as far as they are wanted. */
  readonly #calls = new DataMap<{ readonly at: number; readonly results: View[] }>();

  constructor(readonly program: Program) {
    for (const step of program.steps) this.values.push(this.#value(step));
  }

  #value(step: Step): Value {
    const { op, attributes, inputs, shape, dtype, result = 0 } = step;
    const base = new Base(dtype, shape);
    if (!op) return { view: base.whole, base };
    const operands = inputs.map((input) => this.values[input]);
    const types = inputs.map((input) => this.program.steps[input]);
    const map = viewMap(op.form, types, attributes, { shape, dtype });
    if (map) return this.#view(map, operands[0], shape);
    const { name, cpuAll } = op;
    const what = { name, op, types, attributes };
    if (!cpuAll) return this.#compute({ ...what, cpu: fastest(op, types) }, base, operands);
    const key = callKey(step);
    const known = this.#calls.get(key);
    const { at, results } = known ?? { at: this.tasks.length, results: [] };
    results[result] = base.whole;
    if (known) return this.#write(at, base);
    this.#calls.set(key, { at, results });
    const cpu: Task["cpu"] = (_, inputs) => cpuAll(results, inputs, attributes);
    return this.#compute({ ...what, cpu }, base, operands);
  }

  /** A view of x, or of a copy where x's strides do not allow one. */
  #view(map: IndexMap, x: Value, shape: Shape): Value {
    const view = viewOf(x.view, map, shape);
    if (!view) return this.#view(map, this.copy(x), shape);
    x.base.views.push(view);
    return { view, base: x.base };
  }

  /** Copies a value row-major to an array of its own. */
  copy(x: Value): Value {
    const base = new Base(x.base.dtype, x.view.shape);
    const cpu: Task["cpu"] = (y, [from]) => copyStrided(from, y.data);
    const what = { name: "copy", op: null, types: [], attributes: {} };
    return this.#compute({ ...what, cpu }, base, [x]);
  }

  #compute(
    what: Omit<Task, "dtype" | "y" | "inputs" | "bytes">,
    base: Base,
    operands: readonly Value[],
  ): Value {
    const at = this.tasks.length;
    const inputs = operands.map(({ view }) => view);
    const bytes = operands.reduce((sum, value) => sum + valueBytes(value), 0);
    this.tasks.push({ ...what, dtype: base.dtype, bytes, y: base.whole, inputs });
    for (const { base: read } of operands) read.lastRead = Math.max(read.lastRead, at);
    return this.#write(at, base);
  }

  /** Notes that a task writes an array. */
  #write(at: number, base: Base): Value {
    const value = { view: base.whole, base };
    this.tasks[at].bytes += valueBytes(value);
    this.#writes.push({ base, at });
    base.lastRead = at;
    return value;
  }

  /** Lets arrays share memory where one is read last before another is written. */
  slots(given: ReadonlySet<Base>): { slots: Slot[]; lifetimes: Lifetime[] } {
    const owned = this.#writes.filter(({ base }) => !given.has(base));
    const lifetimes = owned.map(({ base, at }, key): Lifetime => {
      return { key, bytes: base.size * base.elementBytes, first: at, last: base.lastRead };
    });
    const { slots, sizes } = planMemory(lifetimes);
    const found = sizes.map((bytes): Slot => ({ bytes, bases: [] }));
    for (const [key, slot] of slots) found[slot].bases.push(owned[key].base);
    return { slots: found, lifetimes };
  }
}

function valueBytes({ view, base }: Value): number {
  return base.elementBytes * sizeOf(view.shape);
}

/** Says whether a value is its whole array, row-major. */
export function isWhole({ view, base }: Value): boolean {
  return isContiguous(view) && view.offset === 0 && sizeOf(view.shape) === base.size;
}
