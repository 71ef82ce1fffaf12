/*
 * Rows [ROWS, LENGTH]: reductions, softmax and their like. Where a row's elements lie side by side,
 * the four lanes are neighbours in it, and are joined at its end; else they are four rows.
 */
import type { Group } from "../../../engine/fusion.ts";
import type { KernelForm } from "../../../forms/kernel.ts";
import type { Position } from "../../../forms/position.ts";
import { applyFormula, type Formula } from "../../../forms/scalars.ts";
import type { Attributes, Op } from "../../../graph/op.ts";
import { FunctionWriter, I32, V128 } from "./assembler.ts";
import { unitsOf, writeBlocks } from "./blocks.ts";
import { Addresses, type Coordinate, GroupElements, type Results } from "./elements.ts";
import { beginGroup, type GroupCode, type GroupContext, pointersOf } from "./group-code.ts";
import { LaneWriter } from "./lane-scalars.ts";
import {
  bestPlace,
  FIRST_WORD,
  fixed,
  foldOf,
  LARGEST,
  meanOf,
  type RowFold,
  SUM,
  varianceOf,
} from "./row-folds.ts";
import { type Vector, VectorBody } from "./vector-body.ts";

const ADD = 0x6a;
const MULTIPLY = 0x6c;
const NOT_EQUAL = 0x47;
const LOAD = 0x00;
const STORE = 0x0b;

/** What is kept of rows stays in a second-level cache. */
const KEPT_BYTES = 2 ** 17;

/** Rows whose lanes are neighbours, or four rows a lane each, of which several run at once. */
interface RowBlock {
  /** For each vector of rows, the first row from the counter on, and how many there are. */
  readonly parts: readonly { readonly add: number; readonly count: number }[];
}

/** Vectors of rows that run at once where lanes are rows. */
const PARTS = 4;

/** What is made of a row's largest element and the sum of its exponentials. */
type WriteRows = (rows: RowsWriter, block: RowBlock) => void;

/** The code of reductions. */
export function reductionCode(context: GroupContext, group: Group): GroupCode {
  return new RowsWriter(context, group).write((rows, block) => {
    const { combine, identity } = rows.functions;
    const fold = foldOf(rows.dtype, combine, identity);
    rows.storeRow(block, [rows.fold(block, fold)]);
  });
}

/** The code of softmax, its logarithm, and the logarithm of its sum. */
export function softmaxCode(context: GroupContext, group: Group): GroupCode {
  const { op } = context.schedule.program.steps[group.anchors[0]];
  const { result } = (op as Op).form as KernelForm<Attributes>;
  if (result) return logSumExpCode(context, group);
  return new RowsWriter(context, group).write((rows, block) => {
    const maximum = rows.fold(block, LARGEST);
    const m = (writer: LaneWriter) => writer.scalars(rows.dtype);
    const power = (writer: LaneWriter, x: Vector, largest: Vector) =>
      m(writer).call("g_exp", m(writer).call("-", x, largest));
    const isKept = rows.keeps(block, power);
    const sum = rows.fold(
      block,
      SUM,
      (writer, x, part) => power(writer, x, fixed(writer, maximum[part])),
      isKept,
    );
    rows.storeAll(block, (writer, x, part) => {
      const own = [maximum, sum].map((locals) => fixed(writer, locals[part]));
      if (isKept) writer.body.replace(power(writer, x, own[0]), rows.kept(block, writer, part));
      return applyFormula(rows.functions.finish, m(writer), [x, ...own]);
    });
  });
}

/** The code of log Σ exp(x). */
function logSumExpCode(context: GroupContext, group: Group): GroupCode {
  return new RowsWriter(context, group).write((rows, block) => {
    const maximum = rows.fold(block, LARGEST);
    const sum = rows.fold(block, SUM, (writer, x, part) => {
      const m = writer.scalars(rows.dtype);
      // Infinities are no maximum to take from others: ∞ − ∞ would make a NaN of a row without one.
      const [low, high] = [-HUGE, HUGE].map((limit) => m.literal(limit));
      const largest = m.call("max", m.call("min", fixed(writer, maximum[part]), high), low);
      return m.call("g_exp", m.call("-", x, largest));
    });
    rows.storeRow(block, [sum], (writer, total, part) => {
      const m = writer.scalars(rows.dtype);
      return m.call("+", writer.body.local(maximum[part]), m.call("g_log", total));
    });
  });
}

/** The code that finds where the best element of a row is. */
export function argReduceCode(context: GroupContext, group: Group): GroupCode {
  return new RowsWriter(context, group).write((rows, block) => {
    const { dtype, functions, isAlong } = rows;
    const fold = bestPlace(dtype, functions.better, rows.firsts(block), isAlong);
    rows.storeRow(block, [rows.fold(block, fold)]);
  });
}

/** The code of means and variances. */
export function momentsCode(context: GroupContext, group: Group): GroupCode {
  return new RowsWriter(context, group).write((rows, block) => {
    const mean = rows.fold(block, meanOf(rows.length));
    rows.storeRow(block, [mean, rows.fold(block, varianceOf(rows.length, mean))]);
  });
}

const HUGE = 3.4028234663852886e38;

/** Makes another value of one. */
type Change = (writer: LaneWriter, x: Vector, part: number) => Vector;
const asItIs: Change = (_, x) => x;

/** One stretch of code for some rows at once. */
interface RowStretch {
  readonly body: VectorBody;
  readonly writer: LaneWriter;
  readonly elements: readonly GroupElements[];
  readonly at: readonly Position<number>[];
}

class RowsWriter {
  readonly dtype;
  readonly functions: Readonly<Record<string, Formula>>;
  readonly #rows: number;
  /** How many elements a row has. */
  readonly length: number;
  readonly #input: number;
  readonly #steps: readonly number[];
  #f!: FunctionWriter;
  #row!: number;
  #item!: number;
  /** Whether lanes are neighbours in a row. */
  isAlong = true;
  /** Bytes of memory for what is kept of a block of rows. */
  #scratch = 0;

  constructor(
    readonly context: GroupContext,
    readonly group: Group,
  ) {
    const { steps } = context.schedule.program;
    const [anchor] = group.anchors;
    const { op, inputs, attributes } = steps[anchor];
    [this.#input] = inputs;
    const { shape, dtype } = steps[this.#input];
    [this.#rows, this.length] = shape;
    this.dtype = dtype;
    const form = (op as Op).form as KernelForm<Attributes>;
    this.functions = form.functions?.(dtype, attributes) ?? {};
    this.#steps = pointersOf(context, group);
    this.#begin(new FunctionWriter([...this.#steps, 0].map(() => I32))); // for a trial
    this.isAlong = this.#liesAlong();
  }

  write(write: WriteRows): GroupCode {
    const { unit = 1 } = this.context.sharing ?? {};
    const [step, grain] = this.isAlong ? [1, Math.ceil(unit / this.length)] : [4 * PARTS, 1];
    const loop = { size: this.#rows, step, grain };
    const units = unitsOf(loop);
    const { f, share } = beginGroup(this.context, this.group, this.#steps, units);
    this.#begin(f);
    const body = (count: number) => write(this, this.#block(count));
    writeBlocks(f, { ...loop, counter: this.#row, body }, share);
    return { function: f, steps: this.#steps, scratch: this.#scratch, units: share && units };
  }

  /** Begins to write a function. */
  #begin(f: FunctionWriter): void {
    this.#f = f;
    this.#row = f.local(I32);
    this.#item = f.local(I32);
  }

  #block(rows: number): RowBlock {
    if (this.isAlong) return { parts: [{ add: 0, count: 4 }] };
    const parts = Array.from({ length: Math.ceil(rows / 4) }, (_, i) => {
      return { add: 4 * i, count: Math.min(4, rows - 4 * i) };
    });
    return { parts };
  }

  /**
   * Whether it pays to keep what is made of each element: the op's results are made of it, and it
   * stays in a cache.
   */
  keeps(
    block: RowBlock,
    make: (writer: LaneWriter, x: Vector, largest: Vector) => Vector,
  ): boolean {
    const bytes = 16 * Math.ceil((this.length * block.parts.length) / (this.isAlong ? 4 : 1));
    const { body, writer } = this.#plainStretch();
    const [x, ...own] = [0, 0, 0].map(() => body.leaf(() => {}));
    const finish = applyFormula(this.functions.finish, writer.scalars(this.dtype), [x, ...own]);
    const isKept = bytes <= KEPT_BYTES && body.uses([finish], make(writer, x, own[0]));
    if (isKept) this.#scratch = Math.max(this.#scratch, bytes);
    return isKept;
  }

  /** What is kept of an element. */
  kept({ parts }: RowBlock, { body }: LaneWriter, part: number): Vector {
    return body.leaf(() => {
      this.#keptAddress(parts.length);
      this.#f.vectorMemory(LOAD, 4, 16 * part);
    });
  }

  #keptAddress(parts: number): void {
    const f = this.#f;
    f.get(this.#steps.length).get(this.#item);
    f.i32(this.isAlong ? 4 : 16 * parts).emit(MULTIPLY, ADD);
  }

  /**
   * Folds each row; gives locals with the results, one for each part.
   * @param isKept whether what is folded of each element is kept.
   */
  fold(block: RowBlock, fold: RowFold, change: Change = asItIs, isKept = false): number[] {
    const f = this.#f;
    const carried = block.parts.map(() => Array.from({ length: fold.size }, () => f.local(V128)));
    this.#forParts(block, (writer, part) => {
      fold.first(writer, part).forEach((root, k) => {
        f.get(writer.body.emit([root])[0]).set(carried[part][k]);
      });
    });
    this.#run(block, (stretch, count) => {
      const { writer, body, elements, at } = stretch;
      const kept: Vector[] = [];
      const roots = elements.flatMap((one, part) => {
        const x = change(writer, one.element(this.#input, at[part]), part);
        if (isKept) kept.push(x);
        const own = carried[part].map((local) => body.local(local));
        return fold.step(writer, own, this.#whole(writer, fold, x, count, part), part);
      });
      return {
        roots: [...roots, ...kept],
        store: (locals) => {
          for (const local of locals.slice(0, roots.length)) f.get(local);
          for (const local of carried.flat().reverse()) f.set(local);
          for (const [part, local] of locals.slice(roots.length).entries()) {
            this.#keptAddress(kept.length);
            f.get(local).vectorMemory(STORE, 4, 16 * part);
          }
        },
      };
    });
    return carried.map((own) => {
      const { writer, body } = this.#plainStretch();
      const values = own.map((local) => body.local(local));
      return body.emit([fold.last(writer, values, this.isAlong)])[0];
    });
  }

  /** Lanes behind a row's end as what adds nothing. */
  #whole(writer: LaneWriter, fold: RowFold, x: Vector, count: number, part: number): Vector {
    if (count === 4 || !this.isAlong) return x;
    const { body } = writer;
    const lanes = [0, 1, 2, 3].map((lane) => (lane < count ? -1 : 0));
    return body.op("v128.bitselect", x, fold.nothing(writer, part), body.words(lanes));
  }

  /** Gives locals with the first element of each row, one for each part. */
  firsts(block: RowBlock): number[] {
    const { body, elements, at } = this.#stretch(block, 1, true);
    const roots = elements.map((one, part) => {
      const x = one.element(this.#input, at[part]);
      return this.isAlong ? body.shuffle(x, x, FIRST_WORD) : x;
    });
    this.#f.i32(0).set(this.#item);
    for (const one of elements) one.start();
    return body.emit(roots);
  }

  /** Stores the op's results, one value of each for a row, and what is made of them. */
  storeRow(
    block: RowBlock,
    results: readonly (readonly number[])[],
    change: Change = asItIs,
  ): void {
    const stretch = this.#stretch(block, 1, false);
    const { body } = stretch;
    const { roots, store } = this.#results(stretch, (part, result) =>
      change(stretch.writer, body.local(results[result][part]), part),
    );
    for (const one of stretch.elements) one.start();
    store(body.emit(roots));
  }

  /** Stores one value for each element, and what is made of it. */
  storeAll(block: RowBlock, change: Change): void {
    this.#run(block, (stretch) => {
      const { writer, elements, at } = stretch;
      return this.#results(stretch, (part) =>
        change(writer, elements[part].element(this.#input, at[part]), part),
      );
    });
  }

  /** What is stored for all parts, of the anchor's value in each. */
  #results(
    { elements, at }: RowStretch,
    valueOf: (part: number, result: number) => Vector,
  ): Results {
    const { steps } = this.context.schedule.program;
    const parts = elements.map((one, part) => {
      for (const anchor of this.group.anchors) {
        one.anchors.set(anchor, valueOf(part, steps[anchor].result ?? 0));
      }
      return one.results(at[part]);
    });
    return {
      roots: parts.flatMap(({ roots }) => roots),
      store: (locals) => {
        const left = [...locals];
        for (const { roots, store } of parts) store(left.splice(0, roots.length));
      },
    };
  }

  /** Writes something for each part that reads nothing. */
  #forParts({ parts }: RowBlock, write: (writer: LaneWriter, part: number) => void): void {
    parts.forEach((_, part) => {
      write(this.#plainStretch().writer, part);
    });
  }

  #plainStretch(): { writer: LaneWriter; body: VectorBody } {
    const body = new VectorBody(this.#f, this.context.isFused);
    return { body, writer: new LaneWriter(body) };
  }

  /** Runs over the elements of rows: a loop, and what is left at their end. */
  #run(block: RowBlock, make: (stretch: RowStretch, count: number) => Results): void {
    const f = this.#f;
    const step = this.isAlong ? 4 : 1;
    const rest = this.length % step;
    const end = this.length - rest;
    f.i32(0).set(this.#item);
    if (end > 0) {
      const stretch = this.#stretch(block, 4, true);
      const { roots, store } = make(stretch, 4);
      for (const one of stretch.elements) one.start();
      stretch.body.prepare(roots);
      f.repeat(() => {
        store(stretch.body.emit(roots));
        f.get(this.#item).i32(step).emit(ADD).tee(this.#item).i32(end).emit(NOT_EQUAL);
      });
    }
    if (rest === 0) return;
    const stretch = this.#stretch(block, rest, true);
    const { roots, store } = make(stretch, rest);
    for (const one of stretch.elements) one.start();
    store(stretch.body.emit(roots));
  }

  /** A stretch of code at some rows, and elements of them or not. */
  #stretch({ parts }: RowBlock, count: number, hasItems: boolean): RowStretch {
    const { schedule, isFused } = this.context;
    const f = this.#f;
    const body = new VectorBody(f, isFused);
    const writer = new LaneWriter(body);
    const pointers = new Map(this.#steps.map((step, i) => [step, i]));
    const inner = hasItems ? this.#item : undefined;
    const addresses = new Addresses(f, schedule, pointers, inner);
    const elements = parts.map((part) => {
      const own = this.isAlong ? count : part.count;
      return new GroupElements(schedule, this.group, f, writer, addresses, own);
    });
    const items: Coordinate[] = hasItems
      ? [{ local: this.#item, size: this.length, isByLane: this.isAlong }]
      : [];
    const at = parts.map(({ add }, part) => {
      const rows = { local: this.#row, size: this.#rows, add, isByLane: !this.isAlong };
      const coordinates = [rows, ...items];
      const shape = coordinates.map(({ size }) => size);
      return elements[part].position(shape, coordinates);
    });
    return { body, writer, elements, at };
  }

  /** Whether all that is read lies side by side, or is one value, along a row. */
  #liesAlong(): boolean {
    const { elements, at } = this.#stretch({ parts: [{ add: 0, count: 4 }] }, 4, true);
    const [one] = elements;
    one.element(this.#input, at[0]);
    return !one.isGathered && one.accesses.every(({ stride }) => stride === 0 || stride === 1);
  }
}
