/*
 * Where values lie among the sorted ones of their rows: sixteen are looked for at once, since each waits for
 * memory at every step.
 */
import type { KernelForm } from "../../../forms/kernel.ts";
import { Position } from "../../../forms/position.ts";
import { applyFormula } from "../../../forms/scalars.ts";
import type { Attributes, Op } from "../../../graph/op.ts";
import { I32, V128 } from "./assembler.ts";
import { unitsOf, writeBlocks } from "./blocks.ts";
import type { GroupCode } from "./group-code.ts";
import type { GroupWriter, Stretch } from "./group-writer.ts";
import { fixed } from "./row-folds.ts";
import * as simd from "./simd.ts";

/** Values that are looked for at once. */
const AT_ONCE = 16;

/** The code of binary searches. */
export function searchCode(group: GroupWriter): GroupCode {
  const { program } = group;
  const [anchor] = group.group.anchors;
  const { op, inputs, attributes, shape } = program[anchor];
  const [sorted, values] = inputs;
  const { shape: from, dtype } = program[sorted];
  const [rows, count] = shape;
  const length = from[1];
  const form = (op as Op).form as KernelForm<Attributes>;
  const before = form.functions?.(dtype, attributes).comes_before ?? "<";
  const loops = [
    { step: 1, size: rows },
    { step: AT_ONCE, size: count },
  ];
  const outer = rows > 1 ? 0 : 1;
  const units = unitsOf(loops[outer]);
  const begun = group.begin(units);
  const { f, share } = begun;
  const [row, item, turn] = Array.from({ length: 3 }, () => f.local(I32));
  const vectors = () => Array.from({ length: AT_ONCE / 4 }, () => f.local(V128));
  const [wanted, low, high] = [vectors(), vectors(), vectors()];
  /** The position of a part's values. */
  const here = ({ places }: Stretch, part: number) =>
    places.position(shape, [
      { local: row, size: rows },
      { local: item, size: count, add: 4 * part, isByLane: true },
    ]);
  const body = (found: number) => {
    const parts = Array.from({ length: Math.ceil(found / 4) }, (_, i) => i);
    const counts = parts.map((part) => Math.min(4, found - 4 * part));
    const given = begun.stretch(counts);
    const roots = given.all.map((one, part) => one.element(values, here(given, part)));
    for (const [part, local] of given.emit(roots).entries()) {
      f.get(local).set(wanted[part]).zeros().set(low[part]);
      f.i32(length).simd(simd.i32x4_splat).set(high[part]);
    }
    const search = begun.stretch(counts, turn);
    const next = search.all.flatMap((one, part) => {
      const { body, writer } = search;
      const [a, b] = [low, high].map((locals) => body.local(locals[part]));
      const middle = body.shift(simd.i32x4_shr_u, body.op(simd.i32x4_add, a, b), 1);
      const at = Position.at(body, from, [here(search, part).coordinates[0], middle]);
      const x = one.element(sorted, at);
      const isBefore = applyFormula(before, writer.scalars(dtype), [
        x,
        fixed(writer, wanted[part]),
      ]);
      const isAbove = body.op(simd.v128_and, isBefore, body.op(simd.i32x4_lt_u, a, b));
      const behind = body.op(simd.i32x4_add, middle, body.whole(1));
      return [
        body.op(simd.v128_bitselect, behind, a, isAbove),
        // What is found already stays: all of them are one place.
        body.op(simd.v128_bitselect, b, middle, isBefore),
      ];
    });
    search.prepare(next);
    f.count(turn, 1, 32 - Math.clz32(length), () => {
      for (const [i, local] of search.body.emit(next).entries()) {
        f.get(local).set((i % 2 === 0 ? low : high)[i >> 1]);
      }
    });
    const own = begun.stretch(counts);
    for (const [part, one] of own.all.entries()) {
      one.anchors.set(anchor, own.body.local(low[part]));
      own.finish(one.results(here(own, part)));
    }
  };
  const [eachRow, eachItem] = loops.map((loop, i) => (write: (count: number) => void) => {
    const counter = [row, item][i];
    writeBlocks(f, { ...loop, counter, body: write }, i === outer ? share : undefined);
  });
  eachRow(() => eachItem(body));
  return begun.code(0, units);
}
