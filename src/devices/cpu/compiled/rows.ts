/*
 * Rows [ROWS, LENGTH]: reductions, softmax and their like. Where a row's elements lie side by side,
 * the four lanes are neighbours in it, and are joined at its end; else they are four rows.
 */
import type { KernelForm } from "../../../forms/kernel.ts";
import { applyFormula, type Formula } from "../../../forms/scalars.ts";
import type { Attributes, Op } from "../../../graph/op.ts";
import type { FunctionWriter } from "./assembler.ts";
import { unitsOf, writeBlocks } from "./blocks.ts";
import { joinedResults, type Results } from "./elements.ts";
import type { GroupCode } from "./group-code.ts";
import type { GroupWriter } from "./group-writer.ts";
import { ADD, MULTIPLY } from "./instructions.ts";
import { LaneWriter } from "./lane-scalars.ts";
import { FIRST_WORD } from "./row-folds.ts";
import { chooseRows, ROWS_AT_ONCE, type RowBlock, RowLoops, type RowStretch } from "./row-loops.ts";
import * as simd from "./simd.ts";
import type { Vector } from "./vector-body.ts";

/** What is kept of rows stays in a second-level cache. */
const KEPT_BYTES = 2 ** 17;

/** Makes another value of one. */
export type Change = (writer: LaneWriter, x: Vector, part: number) => Vector;
export const asItIs: Change = (_, x) => x;

/** Makes what is stored of each element. */
type MakeRows = (own: RowStretch, count: number) => Results;

/** The code of a group whose anchor is of rows; `write` writes that of a block of them. */
export function rowsCode(
  group: GroupWriter,
  write: (rows: RowsWriter, block: RowBlock) => void,
): GroupCode {
  const { unit } = group.context.sharing;
  const [input] = group.program[group.group.anchors[0]].inputs;
  const { shape } = group.program[input];
  const way = chooseRows(group, input);
  const [step, grain] = way.isAlong ? [1, Math.ceil(unit / shape[1])] : [ROWS_AT_ONCE, 1];
  const [sizes] = way.digits;
  const last = sizes.length - 1;
  const blocks = sizes.map((size, i) => (i < last ? { size, step: 1 } : { size, step, grain }));
  const units = unitsOf(blocks[0]);
  const begun = group.begin(units);
  const rows = new RowsWriter(begun, input, new RowLoops(begun, shape, way));
  const nest = (i: number) => {
    const body = (count: number) => {
      if (i < last) nest(i + 1);
      else write(rows, rows.loops.block(count));
    };
    const counter = rows.loops.rows[i].local;
    writeBlocks(begun.f, { ...blocks[i], counter, body }, i === 0 ? begun.share : undefined);
  };
  nest(0);
  return begun.code(rows.scratch, units);
}

/** Writes what is computed of some rows at once. */
export class RowsWriter {
  readonly dtype;
  readonly functions: Readonly<Record<string, Formula>>;
  /** How many elements a row has. */
  readonly length: number;
  /** Whether lanes are neighbours in a row. */
  readonly isAlong: boolean;
  /** Bytes of memory for what is kept of a block of rows. */
  scratch = 0;

  constructor(
    readonly group: GroupWriter,
    readonly input: number,
    readonly loops: RowLoops,
  ) {
    const { shape, dtype } = group.program[input];
    const { op, attributes } = group.program[group.group.anchors[0]];
    const form = (op as Op).form as KernelForm<Attributes>;
    [, this.length] = shape;
    this.dtype = dtype;
    this.functions = form.functions?.(dtype, attributes) ?? {};
    this.isAlong = loops.way.isAlong;
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
    const writer = this.writer();
    const { body } = writer;
    const [x, ...own] = [0, 0, 0].map(() => body.leaf(() => {}));
    const finish = applyFormula(this.functions.finish, writer.scalars(this.dtype), [x, ...own]);
    const isOne = this.loops.items.length === 1;
    const isKept = isOne && bytes <= KEPT_BYTES && body.uses([finish], make(writer, x, own[0]));
    if (isKept) this.scratch = Math.max(this.scratch, bytes);
    return isKept;
  }

  /** What is kept of an element. */
  kept({ parts }: RowBlock, { body }: LaneWriter, part: number): Vector {
    return body.leaf(() =>
      this.keptAddress(parts.length).vectorMemory(simd.v128_load, 4, 16 * part),
    );
  }

  /** Leaves on the stack where what is kept of an element lies. */
  keptAddress(parts: number): FunctionWriter {
    const { f, scratch } = this.group;
    f.get(scratch).get(this.loops.item);
    return f.i32(this.isAlong ? 4 : 16 * parts).emit(MULTIPLY, ADD);
  }

  /** Gives locals with the first element of each row, one for each part. */
  firsts(block: RowBlock): number[] {
    const { stretch, body, at } = this.loops.stretch(block, 1, true);
    const roots = stretch.all.map((one, part) => {
      const x = one.element(this.input, at[part]);
      return this.isAlong ? body.shuffle(x, x, FIRST_WORD) : x;
    });
    for (const { local } of this.loops.items) this.group.f.i32(0).set(local);
    return stretch.emit(roots);
  }

  /** Stores the op's results, one value of each for a row, and what is made of them. */
  storeRow(
    block: RowBlock,
    results: readonly (readonly number[])[],
    change: Change = asItIs,
  ): void {
    const own = this.loops.stretch(block, 1, false);
    const valueOf = (part: number, result: number) =>
      change(own.writer, own.body.local(results[result][part]), part);
    own.stretch.finish(this.results(own, valueOf));
  }

  /** Stores one value for each element, and what is made of it. */
  storeAll(block: RowBlock, change: Change): void {
    this.run(block, (own) =>
      this.results(own, (part) => {
        const x = own.stretch.all[part].element(this.input, own.at[part]);
        return change(own.writer, x, part);
      }),
    );
  }

  /** What is stored for all parts, of the anchor's value in each. */
  results({ stretch, at }: RowStretch, valueOf: (part: number, result: number) => Vector): Results {
    const { program, group } = this.group;
    const parts = stretch.all.map((one, part) => {
      for (const anchor of group.anchors) {
        one.anchors.set(anchor, valueOf(part, program[anchor].result ?? 0));
      }
      return one.results(at[part]);
    });
    return joinedResults(parts);
  }

  /** Writes values that read nothing. */
  writer(): LaneWriter {
    return new LaneWriter(this.group.body());
  }

  /** Runs over the elements of rows: loops over digits. */
  run(block: RowBlock, make: MakeRows): void {
    const { items } = this.loops;
    const last = items.length - 1;
    const nest = (i: number): void => {
      const { local, size } = items[i];
      if (i < last) this.group.f.count(local, 1, size, () => nest(i + 1));
      else this.runAlong(block, make, 0, size);
    };
    nest(0);
  }

  /** Runs over a last digit from one number up to another, and what is left at the end. */
  runAlong(block: RowBlock, make: MakeRows, from: number, end: number): void {
    const { f } = this.group;
    const counter = this.loops.item;
    const step = this.isAlong ? 4 * block.parts.length : 1;
    const rest = (end - from) % step;
    const begun = (count: number) => {
      const own = this.loops.stretch(block, count, true);
      return { ...own, results: make(own, count) };
    };
    f.i32(from).set(counter);
    if (end - from > rest) {
      const { stretch, body, results } = begun(4);
      stretch.prepare(results.roots);
      f.count(counter, step, end - rest, () => results.store(body.emit(results.roots)), from);
    }
    if (rest === 0) return;
    const { stretch, results } = begun(rest);
    stretch.finish(results);
  }
}
