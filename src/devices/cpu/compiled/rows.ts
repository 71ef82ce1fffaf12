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
import { digitSizes } from "./digits.ts";
import { Addresses, type Coordinate, GroupElements, type Results } from "./elements.ts";
import { beginGroup, type GroupCode, type GroupContext, pointersOf } from "./group-code.ts";
import { ADD, MULTIPLY } from "./instructions.ts";
import { LaneWriter } from "./lane-scalars.ts";
import { FIRST_WORD, type RowFold } from "./row-folds.ts";
import * as simd from "./simd.ts";
import { type Vector, VectorBody } from "./vector-body.ts";

/** What is kept of rows stays in a second-level cache. */
const KEPT_BYTES = 2 ** 17;

/** Rows whose lanes are neighbours, or four rows a lane each, of which several run at once. */
interface RowBlock {
  /** For each vector of rows, the first row from the counter on, and how many there are. */
  readonly parts: readonly { readonly add: number; readonly count: number }[];
}

/** Vectors of rows that run at once where lanes are rows. */
const PARTS = 4;
/** Where rows are no longer, lanes are rows: neighbours would be joined more often than filled. */
const SHORT = 16;

/** Writes the code of a block of rows. */
type WriteRows = (rows: RowsWriter, block: RowBlock) => void;

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

/** Sizes of digits. */
type RowDigits = readonly [rows: readonly number[], items: readonly number[]];

/** Writes the code of a group whose anchor is of rows. */
export class RowsWriter {
  readonly dtype;
  readonly functions: Readonly<Record<string, Formula>>;
  readonly #rows: number;
  /** How many elements a row has. */
  readonly length: number;
  readonly #input: number;
  readonly #steps: readonly number[];
  #f!: FunctionWriter;
  /** Sizes of the digits of a row's number and of an element's in it, the last of which runs by lanes. */
  #digits: RowDigits;
  /** The locals that count them. */
  #rowAt: readonly number[] = [];
  #itemAt: readonly number[] = [];
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
    this.#digits = [[this.#rows], [this.length]];
    this.#chooseLanes();
  }

  write(write: WriteRows): GroupCode {
    const { unit = 1 } = this.context.sharing ?? {};
    const [step, grain] = this.isAlong ? [1, Math.ceil(unit / this.length)] : [4 * PARTS, 1];
    const [rows] = this.#digits;
    const last = rows.length - 1;
    const loops = rows.map((size, i) => (i < last ? { size, step: 1 } : { size, step, grain }));
    const units = unitsOf(loops[0]);
    const { f, share } = beginGroup(this.context, this.group, this.#steps, units);
    this.#begin(f);
    const nest = (i: number) => {
      const body = (count: number) => {
        if (i < last) nest(i + 1);
        else write(this, this.#block(count));
      };
      writeBlocks(f, { ...loops[i], counter: this.#rowAt[i], body }, i === 0 ? share : undefined);
    };
    nest(0);
    return { function: f, steps: this.#steps, scratch: this.#scratch, units: share && units };
  }

  /** Begins to write a function. */
  #begin(f: FunctionWriter): void {
    this.#f = f;
    [this.#rowAt, this.#itemAt] = this.#digits.map((sizes) => sizes.map(() => f.local(I32)));
  }

  /** The local that counts the last digit of an element's number in its row. */
  get #item(): number {
    return this.#itemAt[this.#itemAt.length - 1];
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
    const isOne = this.#itemAt.length === 1;
    const isKept = isOne && bytes <= KEPT_BYTES && body.uses([finish], make(writer, x, own[0]));
    if (isKept) this.#scratch = Math.max(this.#scratch, bytes);
    return isKept;
  }

  /** What is kept of an element. */
  kept({ parts }: RowBlock, { body }: LaneWriter, part: number): Vector {
    return body.leaf(() => {
      this.#keptAddress(parts.length);
      this.#f.vectorMemory(simd.v128_load, 4, 16 * part);
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
            f.get(local).vectorMemory(simd.v128_store, 4, 16 * part);
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
    return body.op(simd.v128_bitselect, x, fold.nothing(writer, part), body.words(lanes));
  }

  /** Gives locals with the first element of each row, one for each part. */
  firsts(block: RowBlock): number[] {
    const { body, elements, at } = this.#stretch(block, 1, true);
    const roots = elements.map((one, part) => {
      const x = one.element(this.#input, at[part]);
      return this.isAlong ? body.shuffle(x, x, FIRST_WORD) : x;
    });
    for (const local of this.#itemAt) this.#f.i32(0).set(local);
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

  /** Runs over the elements of rows: loops over digits, and what is left at the end of the last. */
  #run(block: RowBlock, make: (stretch: RowStretch, count: number) => Results): void {
    const f = this.#f;
    const [, sizes] = this.#digits;
    const last = sizes.length - 1;
    const begun = (count: number) => {
      const stretch = this.#stretch(block, count, true);
      const { roots, store } = make(stretch, count);
      for (const one of stretch.elements) one.start();
      return { body: stretch.body, roots, write: () => store(stretch.body.emit(roots)) };
    };
    const nest = (i: number): void => {
      const counter = this.#itemAt[i];
      if (i < last) {
        f.count(counter, 1, sizes[i], () => nest(i + 1));
        return;
      }
      const step = this.isAlong ? 4 : 1;
      const rest = sizes[i] % step;
      f.i32(0).set(counter);
      if (sizes[i] > rest) {
        const { body, roots, write } = begun(4);
        body.prepare(roots);
        f.count(counter, step, sizes[i] - rest, write);
      }
      if (rest > 0) begun(rest).write();
    };
    nest(0);
  }

  /** A stretch of code at some rows, and elements of them or not. */
  #stretch({ parts }: RowBlock, count: number, hasItems: boolean): RowStretch {
    const { schedule, isFused } = this.context;
    const f = this.#f;
    const body = new VectorBody(f, isFused);
    const writer = new LaneWriter(body);
    const pointers = new Map(this.#steps.map((step, i) => [step, i]));
    const inner = hasItems ? this.#item : undefined;
    const [rowSizes, itemSizes] = this.#digits;
    const addresses = new Addresses(f, schedule, pointers, inner);
    const elements = parts.map((part) => {
      const own = this.isAlong ? count : part.count;
      return new GroupElements(schedule, this.group, f, writer, addresses, own);
    });
    const coordinates = (
      sizes: readonly number[],
      locals: readonly number[],
      add: number,
      isLane: boolean,
    ) =>
      sizes.map((size, i): Coordinate => {
        const isLast = i === sizes.length - 1;
        return { local: locals[i], size, add: isLast ? add : 0, isByLane: isLast && isLane };
      });
    const items = hasItems ? coordinates(itemSizes, this.#itemAt, 0, this.isAlong) : [];
    const shape = hasItems ? [this.#rows, this.length] : [this.#rows];
    const at = parts.map(({ add }, part) => {
      const rows = coordinates(rowSizes, this.#rowAt, add, !this.isAlong);
      return elements[part].position(shape, [...rows, ...items]);
    });
    return { body, writer, elements, at };
  }

  /**
   * Has lanes be neighbours in a row where all that is read lies side by side, or is one value, and
   * rows else, whose numbers are cut into digits where their elements are looked for by such.
   */
  #chooseLanes(): void {
    const [along] = this.#trial();
    const isAlong = !along.isGathered && along.accesses.every(({ stride }) => stride >> 1 === 0);
    if (isAlong && this.length > SHORT) return;
    this.isAlong = false;
    const [across, divisors] = this.#trial();
    if (!across.isGathered) return;
    const whole = this.#digits;
    const [rows, items] = whole.map(([n], i) => digitSizes(n, divisors[i]));
    this.#digits = [rows, items];
    const [cut] = this.#trial();
    if (cut.isGathered) this.#digits = whole;
  }

  /** Finds where elements lie, and what rows' numbers and those of elements are divided by. */
  #trial(): [elements: GroupElements, divisors: (ReadonlySet<number> | undefined)[]] {
    this.#begin(new FunctionWriter([...this.#steps, 0].map(() => I32)));
    const { elements, at } = this.#stretch({ parts: [{ add: 0, count: 4 }] }, 4, true);
    const [one] = elements;
    one.element(this.#input, at[0]);
    return [one, [this.#rowAt, this.#itemAt].map(([local]) => one.divisors.get(local))];
  }
}
