/*
 * Rows in order, or their first elements. Elements are sorted by words that are larger the later they
 * come, with their places beside them: few are inserted one by one, many are distributed by eight bits
 * at a time, the lowest first. Both leave equal ones in their order.
 */
import type { Shape } from "../../../core/shape.ts";
import type { KernelForm } from "../../../forms/kernel.ts";
import { Position } from "../../../forms/position.ts";
import { applyFormula } from "../../../forms/scalars.ts";
import type { Attributes, Op } from "../../../graph/op.ts";
import { I32 } from "./assembler.ts";
import { writeBlocks } from "./blocks.ts";
import type { GroupCode } from "./group-code.ts";
import type { GroupWriter, Stretch } from "./group-writer.ts";
import {
  ADD,
  AND,
  LESS_UNSIGNED,
  LOAD_I32,
  NOT_EQUAL,
  SHIFT_LEFT,
  STORE_I32,
  SUBTRACT,
} from "./instructions.ts";
import { Lanes } from "./lanes.ts";
import * as simd from "./simd.ts";

/** So many are inserted one by one. */
const FEW = 32;

const SHIFT_RIGHT = 0x76;
const LOAD_I64 = 0x29;
const STORE_I64 = 0x37;
/** Bytes of counts for each of four digits. */
const COUNTS = 4 * 256;

/** The code of rows in order. */
export function sortCode(group: GroupWriter): GroupCode {
  const { f, program, scratch } = group;
  const { anchors } = group.group;
  const { op, inputs, attributes, shape } = program[anchors[0]];
  const [input] = inputs;
  const { shape: from, dtype } = program[input];
  const [rows, length] = from;
  const [, keep] = shape;
  const form = (op as Op).form as KernelForm<Attributes>;
  const key = form.functions?.(dtype, attributes).order_key ?? "order_key_u32";
  const lanes = new Lanes(f);
  const [row, item] = [f.local(I32), f.local(I32)];
  const words = 4 * (length + 4);
  const isFew = keep <= FEW;
  /** The position at the locals. */
  const here = ({ places }: Stretch, shape: Shape) =>
    places.position(shape, [
      { local: row, size: rows },
      { local: item, size: shape[1], isByLane: true },
    ]);
  f.count(row, 1, rows, () => {
    const writeWords = (count: number) => {
      const stretch = group.stretch([count]);
      const x = stretch.elements.element(input, here(stretch, from));
      const word = applyFormula(key, stretch.writer.scalars(dtype), [x]);
      const [local] = stretch.emit([word]);
      group.word(scratch, item).get(local).vectorMemory(simd.v128_store, 2, 0);
    };
    writeBlocks(f, { counter: item, step: 4, size: length, body: writeWords });
    const sorted = (isFew ? insert : distribute)({ group, item, words, length, keep });
    const writeResults = (count: number) => {
      const stretch = group.stretch([count]);
      const { elements, body } = stretch;
      const places = body.leaf(() => {
        group.word(sorted, item, 3);
        lanes.load("i32", 2, 4, count);
      });
      const at = here(stretch, shape);
      const there = Position.at(body, from, [at.coordinates[0], places]);
      for (const one of anchors) {
        const isPlace = program[one].result === 1;
        elements.anchors.set(one, isPlace ? places : elements.element(input, there));
      }
      stretch.finish(elements.results(at));
    };
    writeBlocks(f, { counter: item, step: 4, size: keep, body: writeResults });
  });
  return group.code(words + (isFew ? 8 * (keep + 1) : 16 * length + 4 * COUNTS));
}

/** What sorts the words of a row, which lie in front of its memory, into pairs of words and places. */
interface Sorter {
  readonly group: GroupWriter;
  readonly item: number;
  /** Bytes of the words. */
  readonly words: number;
  readonly length: number;
  readonly keep: number;
}

/** Inserts each word among those that are kept; gives the local with the address of the pairs. */
function insert({ group, item, words, length, keep }: Sorter): number {
  const { f, scratch } = group;
  const [pairs, at, word, end, last] = Array.from({ length: 5 }, () => f.local(I32));
  f.get(scratch).i32(words).emit(ADD).tee(pairs).set(end);
  f.get(pairs)
    .i32(8 * (keep - 1))
    .emit(ADD)
    .set(last);
  const isBefore = () => f.get(word).get(at).memory(LOAD_I32, 2, 0).emit(LESS_UNSIGNED);
  f.count(item, 1, length, () => {
    group.word(scratch, item).memory(LOAD_I32, 2, 0).set(word);
    // There is room behind the last one, or the last one goes.
    f.get(end).set(at);
    f.get(last)
      .get(end)
      .emit(LESS_UNSIGNED)
      .when(() => {
        f.get(last).set(at);
        isBefore()
          .emit(0x45)
          .when(() => f.get(end).set(at));
      });
    f.get(last)
      .get(at)
      .emit(LESS_UNSIGNED, 0x45)
      .when(() => {
        f.while(
          () => {
            // pairs < at && word < the word before
            f.get(pairs).get(at).emit(LESS_UNSIGNED);
            f.emit(0x04, I32).get(word).get(at).i32(8).emit(SUBTRACT);
            f.memory(LOAD_I32, 2, 0).emit(LESS_UNSIGNED, 0x05).i32(0).emit(0x0b);
          },
          () => {
            f.get(at).get(at).i32(8).emit(SUBTRACT).memory(LOAD_I64, 2, 0).memory(STORE_I64, 2, 0);
            f.get(at).i32(8).emit(SUBTRACT).set(at);
          },
        );
        f.get(at).get(word).memory(STORE_I32, 2, 0);
        f.get(at).get(item).memory(STORE_I32, 2, 4);
        f.get(last)
          .get(end)
          .emit(LESS_UNSIGNED, 0x45)
          .when(() => {
            f.get(end).i32(8).emit(ADD).set(end);
          });
      });
  });
  return pairs;
}

/** Distributes pairs by each digit in turn; gives the local with the address of the pairs. */
function distribute({ group, item, words, length }: Sorter): number {
  const { f, scratch } = group;
  const [from, to, at, counts, sum] = Array.from({ length: 5 }, () => f.local(I32));
  const first = words + 4 * COUNTS;
  /** Leaves the address of the count of a digit of the word on the stack. */
  const count = (digit: number, address: () => void) => {
    address();
    if (digit > 0) f.i32(8 * digit).emit(SHIFT_RIGHT);
    f.i32(255).emit(AND).i32(2).emit(SHIFT_LEFT).get(scratch).emit(ADD);
    f.i32(words + digit * COUNTS).emit(ADD);
  };
  const move = (local: number, by: number) => f.get(scratch).i32(by).emit(ADD).set(local);
  move(counts, words);
  f.get(counts).zero(4 * COUNTS);
  move(from, first);
  move(to, first + 8 * length);
  f.count(item, 1, length, () => {
    group.word(from, item, 3).tee(at);
    group.word(scratch, item).memory(LOAD_I32, 2, 0);
    f.memory(STORE_I32, 2, 0).get(at).get(item).memory(STORE_I32, 2, 4);
    for (let digit = 0; digit < 4; digit++) {
      count(digit, () => f.get(at).memory(LOAD_I32, 2, 0));
      f.tee(counts).get(counts).memory(LOAD_I32, 2, 0).i32(1).emit(ADD).memory(STORE_I32, 2, 0);
    }
  });
  for (let digit = 0; digit < 4; digit++) {
    // Nothing moves where all have one digit.
    count(digit, () => f.get(from).memory(LOAD_I32, 2, 0));
    f.memory(LOAD_I32, 2, 0)
      .i32(length)
      .emit(NOT_EQUAL)
      .when(() => {
        f.get(to).set(sum);
        f.count(item, 4, COUNTS, () => {
          f.get(scratch).get(item).emit(ADD).tee(counts).get(sum);
          f.get(counts)
            .memory(LOAD_I32, 2, words + digit * COUNTS)
            .i32(3)
            .emit(SHIFT_LEFT);
          f.get(sum)
            .emit(ADD)
            .set(sum)
            .memory(STORE_I32, 2, words + digit * COUNTS);
        });
        f.count(item, 8, 8 * length, () => {
          f.get(from).get(item).emit(ADD).set(at);
          count(digit, () => f.get(at).memory(LOAD_I32, 2, 0));
          f.tee(counts).memory(LOAD_I32, 2, 0).tee(sum);
          f.get(at).memory(LOAD_I64, 2, 0).memory(STORE_I64, 2, 0);
          f.get(counts).get(sum).i32(8).emit(ADD).memory(STORE_I32, 2, 0);
        });
        f.get(from).get(to).set(from).set(to);
      });
  }
  return from;
}
