/*
 * Rows that are put where indices say. Sums are added up in the order of what is added, those of floats
 * in float64: the numbers of the rows that belong to one are listed first, one list behind the other.
 */
import { I32, V128 } from "./assembler.ts";
import { writeBlocks } from "./blocks.ts";
import type { Coordinate } from "./counted-places.ts";
import type { GroupCode } from "./group-code.ts";
import type { GroupWriter, Stretch } from "./group-writer.ts";
import { ADD, LESS_UNSIGNED, LOAD_I32, NOT_EQUAL, STORE_I32 } from "./instructions.ts";
import { foldOf } from "./row-folds.ts";
import * as simd from "./simd.ts";
import type { Vector } from "./vector-body.ts";

/** The code of sums of rows that indices name. */
export function scatterCode(group: GroupWriter): GroupCode {
  const own = new ScatterWriter(group);
  const { f, program, scratch } = group;
  const [index, g] = own.inputs;
  const [rows, columns] = own.shape;
  const [count] = program[index].shape;
  const [row, column, item, at, end] = Array.from({ length: 5 }, () => f.local(I32));
  const sum = foldOf(program[g].dtype, "+", (m) => m.literal(0));
  const sums = Array.from({ length: sum.size }, () => f.local(V128));
  const items = { local: item, size: count };
  // Where each row's list begins, and one behind; then the lists.
  const lists = 4 * (rows + 2);
  f.get(scratch).zero(lists);
  /** Adds to a number of the row's, by what is left on the stack. */
  const change = (offset: number, by: () => void) => {
    group.word(scratch, row).tee(at).get(at).memory(LOAD_I32, 2, offset);
    by();
    f.emit(ADD).memory(STORE_I32, 2, offset);
  };
  const each = (write: () => void) =>
    f.count(item, 1, count, () => own.indexed(index, [items], row, rows, write));
  each(() => change(8, () => f.i32(1)));
  f.count(row, 1, rows, () => change(8, () => f.get(at).memory(LOAD_I32, 2, 4)));
  each(() => {
    group.word(scratch, row).memory(LOAD_I32, 2, 4).set(end);
    change(4, () => f.i32(1));
    group.word(scratch, end).get(item).memory(STORE_I32, 2, lists);
  });
  const body = (lanes: number) => {
    for (const local of sums) f.zeros().set(local);
    for (const [local, offset] of [
      [end, 4],
      [at, 0],
    ]) {
      group.word(scratch, row).memory(LOAD_I32, 2, offset).set(local);
      group.word(scratch, local).set(local);
    }
    f.while(
      () => f.get(at).get(end).emit(NOT_EQUAL),
      () => {
        f.get(at).memory(LOAD_I32, 2, lists).set(item);
        const stretch = group.stretch([lanes]);
        const { elements, body, writer, places } = stretch;
        const place = places.position(program[g].shape, [
          items,
          { local: column, size: columns, isByLane: true },
        ]);
        const before = sums.map((local) => body.local(local));
        const next = sum.step(writer, before, elements.element(g, place), 0, 1);
        for (const [i, local] of stretch.emit(next).entries()) f.get(local).set(sums[i]);
        f.get(at).i32(4).emit(ADD).set(at);
      },
    );
    const stretch = group.stretch([lanes]);
    const all = sums.map((local) => stretch.body.local(local));
    own.finish(stretch, sum.last(stretch.writer, all, false), row, column);
  };
  f.count(row, 1, rows, () => writeBlocks(f, { counter: column, step: 4, size: columns, body }));
  return group.code(lists + 4 * count);
}

/** What is written of indices and where they lead. */
export class ScatterWriter {
  readonly #anchor: number;

  constructor(readonly group: GroupWriter) {
    [this.#anchor] = group.group.anchors;
  }

  get inputs(): readonly number[] {
    return this.group.program[this.#anchor].inputs;
  }

  /** Rows and columns of the result. */
  get shape(): readonly number[] {
    return this.group.program[this.#anchor].shape;
  }

  /** Computes the results of a group from the anchor's value in four columns, or rows. */
  finish(stretch: Stretch, value: Vector, row: number, column: number, isDown = false): void {
    const { elements, places } = stretch;
    const [rows, columns] = this.shape;
    elements.anchors.set(this.#anchor, value);
    const at = places.position(
      [rows, columns],
      [
        { local: row, size: rows, isByLane: isDown },
        { local: column, size: columns, isByLane: !isDown },
      ],
    );
    stretch.finish(elements.results(at));
  }

  /** Reads one element of a step at what locals count. */
  read(step: number, at: readonly Coordinate[]): number[] {
    const { group } = this;
    const stretch = group.stretch([1]);
    const place = stretch.places.position(group.program[step].shape, at);
    return stretch.emit([stretch.elements.element(step, place)]);
  }

  /** Has an index at what locals count, and runs a body where it is below a limit. */
  indexed(
    step: number,
    at: readonly Coordinate[],
    to: number,
    limit: number,
    write: () => void,
  ): void {
    const { f } = this.group;
    const [local] = this.read(step, at);
    f.get(local).simd(simd.i32x4_extract_lane, 0).tee(to);
    f.i32(limit).emit(LESS_UNSIGNED).when(write);
  }
}
