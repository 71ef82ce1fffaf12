/*
 * Rows that are put where indices say. Sums are added up in the order of what is added, those of floats
 * in float64: the numbers of the rows that belong to one are listed first, one list behind the other.
 */
import type { Group } from "../../../engine/fusion.ts";
import { FunctionWriter, I32, V128 } from "./assembler.ts";
import { writeBlocks } from "./blocks.ts";
import { type GroupCode, type GroupContext, pointersOf } from "./group-code.ts";
import {
  ADD,
  LESS_UNSIGNED,
  LOAD_I32,
  MEMORY_FILL,
  NOT_EQUAL,
  SHIFT_LEFT,
  STORE_I32,
} from "./instructions.ts";
import { foldOf } from "./row-folds.ts";
import * as simd from "./simd.ts";
import { type Stretch, stretchOf } from "./stretch.ts";

/** The code of sums of rows that indices name. */
export function scatterCode(context: GroupContext, group: Group): GroupCode {
  const { f, anchor, steps, address, stretch, finish, indexed } = scatterParts(context, group);
  const program = context.schedule.program.steps;
  const [index, g] = program[anchor].inputs;
  const [rows, columns] = program[anchor].shape;
  const [count] = program[index].shape;
  const scratch = steps.length;
  const [row, column, item, at, end] = Array.from({ length: 5 }, () => f.local(I32));
  const sum = foldOf(program[g].dtype, "+", (m) => m.literal(0));
  const sums = Array.from({ length: sum.size }, () => f.local(V128));
  // Where each row's list begins, and one behind; then the lists.
  const lists = 4 * (rows + 2);
  address(scratch);
  f.i32(0)
    .i32(lists)
    .emit(...MEMORY_FILL);
  /** Adds to a number of the row's, by what is left on the stack. */
  const change = (offset: number, by: () => void) => {
    address(scratch, row);
    f.tee(at).get(at).memory(LOAD_I32, 2, offset);
    by();
    f.emit(ADD).memory(STORE_I32, 2, offset);
  };
  const each = (write: () => void) =>
    f.count(item, 1, count, () => {
      indexed(index, [[item, count]], row, rows, write);
    });
  each(() => change(8, () => f.i32(1)));
  f.count(row, 1, rows, () => change(8, () => f.get(at).memory(LOAD_I32, 2, 4)));
  each(() => {
    address(scratch, row);
    f.memory(LOAD_I32, 2, 4).set(end);
    change(4, () => f.i32(1));
    address(scratch, end);
    f.get(item).memory(STORE_I32, 2, lists);
  });
  const block = (lanes: number) => {
    for (const local of sums) f.simd(0x0c, ...new Array(16).fill(0)).set(local);
    for (const [local, offset] of [
      [end, 4],
      [at, 0],
    ]) {
      address(scratch, row);
      f.memory(LOAD_I32, 2, offset).set(local);
      address(scratch, local);
      f.set(local);
    }
    f.while(
      () => f.get(at).get(end).emit(NOT_EQUAL),
      () => {
        f.get(at).memory(LOAD_I32, 2, lists).set(item);
        const { elements, body, writer } = stretch(lanes);
        const place = elements.position(program[g].shape, [
          { local: item, size: count },
          { local: column, size: columns, isByLane: true },
        ]);
        const own = sums.map((local) => body.local(local));
        const next = sum.step(writer, own, elements.element(g, place), 0);
        elements.start();
        for (const [i, local] of body.emit(next).entries()) f.get(local).set(sums[i]);
        f.get(at).i32(4).emit(ADD).set(at);
      },
    );
    const own = stretch(lanes);
    const total = sum.last(
      own.writer,
      sums.map((local) => own.body.local(local)),
      false,
    );
    finish(own, total, row, column);
  };
  const along = { counter: column, step: 4, size: columns, body: block };
  f.count(row, 1, rows, () => writeBlocks(f, along));
  return { function: f, steps, scratch: lists + 4 * count };
}

/** The code of elements that are put where a permutation of each row says, among zeros. */
export function placeCode(context: GroupContext, group: Group): GroupCode {
  const { f, anchor, steps, address, stretch, finish, indexed } = scatterParts(context, group);
  const program = context.schedule.program.steps;
  const [order, g] = program[anchor].inputs;
  const [rows, length] = program[anchor].shape;
  const [, count] = program[order].shape;
  const scratch = steps.length;
  const [row, item, place] = Array.from({ length: 3 }, () => f.local(I32));
  f.count(row, 1, rows, () => {
    address(scratch);
    f.i32(0)
      .i32(4 * length)
      .emit(...MEMORY_FILL);
    const sizes: [number, number][] = [
      [row, rows],
      [item, count],
    ];
    f.count(item, 1, count, () => {
      indexed(order, sizes, place, length, () => {
        const { elements, body } = stretch(1);
        const coordinates = sizes.map(([local, size]) => ({ local, size }));
        const at = elements.position(program[g].shape, coordinates);
        const value = elements.element(g, at);
        elements.start();
        const [local] = body.emit([value]);
        address(scratch, place);
        f.get(local).vectorMemory(simd.v128_store32_lane, 2, 0, 0);
      });
    });
    const body = (lanes: number) => {
      const own = stretch(lanes);
      const kept = own.body.leaf(() => {
        address(scratch, item);
        f.vectorMemory(simd.v128_load, 2, 0);
      });
      finish(own, kept, row, item);
    };
    writeBlocks(f, { counter: item, step: 4, size: length, body });
  });
  return { function: f, steps, scratch: 4 * length + 16 };
}

/** What both are written with. */
function scatterParts(context: GroupContext, group: Group) {
  const [anchor] = group.anchors;
  const program = context.schedule.program.steps;
  const steps = pointersOf(context, group);
  const f = new FunctionWriter([...steps, 0].map(() => I32));
  const stretch = (lanes: number) => stretchOf(context, group, f, steps, lanes);
  /** Leaves the address of a word of memory on the stack. */
  const address = (base: number, index?: number) => {
    f.get(base);
    if (index !== undefined) f.get(index).i32(2).emit(SHIFT_LEFT, ADD);
  };
  /** Computes the four results of a group from the anchor's value. */
  const finish = ({ elements, body }: Stretch, value: number, row: number, column: number) => {
    const [rows, columns] = program[anchor].shape;
    elements.anchors.set(anchor, value);
    const at = elements.position(
      [rows, columns],
      [
        { local: row, size: rows },
        { local: column, size: columns, isByLane: true },
      ],
    );
    const { roots, store } = elements.results(at);
    elements.start();
    store(body.emit(roots));
  };
  /** Has an index at what locals count, and runs a body where it is below a limit. */
  const indexed = (
    step: number,
    at: readonly (readonly [local: number, size: number])[],
    to: number,
    limit: number,
    write: () => void,
  ) => {
    const { elements, body } = stretch(1);
    const coordinates = at.map(([local, size]) => ({ local, size }));
    const index = elements.element(step, elements.position(program[step].shape, coordinates));
    elements.start();
    const [local] = body.emit([index]);
    f.get(local)
      .simd(simd.i32x4_extract_lane, 0)
      .tee(to)
      .i32(limit)
      .emit(LESS_UNSIGNED)
      .when(write);
  };
  return { f, anchor, steps, address, stretch, finish, indexed };
}
