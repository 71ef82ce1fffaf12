import { I32, V128 } from "./assembler.ts";
import { writeBlocks } from "./blocks.ts";
import type { GroupCode } from "./group-code.ts";
import type { GroupWriter } from "./group-writer.ts";
import { NOT_EQUAL } from "./instructions.ts";
import { foldOf } from "./row-folds.ts";
import { ScatterWriter, scatterCode } from "./scatter.ts";
import * as simd from "./simd.ts";

/**
 * The code of sums of rows that indices name, which are one element each: it is added to its sum at once. The
 * sum that was added to last is at hand, not in memory. Rows of more are listed first.
 */
export function elementSumsCode(group: GroupWriter): GroupCode {
  const own = new ScatterWriter(group);
  const { inputs, shape } = own;
  if (shape[1] > 1) return scatterCode(group);
  const { f, program, scratch } = group;
  const [index, g] = inputs;
  const [rows] = shape;
  const [count] = program[index].shape;
  const sum = foldOf(program[g].dtype, "+", (m) => m.literal(0));
  const sides = Array.from({ length: sum.size }, (_, i) => i);
  const shift = 1 + sum.size; // floats are doubles there
  const [load, store] =
    sum.size > 1
      ? [simd.v128_load64_zero, simd.v128_store64_lane]
      : [simd.v128_load32_zero, simd.v128_store32_lane];
  const [row, item, at, last] = Array.from({ length: 4 }, () => f.local(I32));
  const total = f.local(V128);
  const items = { local: item, size: count };
  const keep = () => f.get(last).get(total).vectorMemory(store, 2, 0, 0);
  // Four are read at once, also of the last ones.
  const bytes = (rows + 3) << shift;
  f.get(scratch).tee(last).zero(bytes);
  f.count(item, 1, count, () =>
    own.indexed(index, [items], row, rows, () => {
      group.word(scratch, row, shift).tee(at).get(last).emit(NOT_EQUAL);
      f.when(() => {
        keep();
        f.get(at).tee(last).vectorMemory(load, 2, 0).set(total);
      });
      const stretch = group.stretch([1]);
      const { elements, body, writer, places } = stretch;
      const place = places.position(program[g].shape, [items, { local: item, size: 1 }]);
      const before = sides.map(() => body.local(total));
      const [next] = sum.step(writer, before, elements.element(g, place), 0, 1);
      f.get(stretch.emit([next])[0]).set(total);
    }),
  );
  keep();
  const body = (lanes: number) => {
    const stretch = group.stretch([lanes]);
    const all = sides.map((i) =>
      stretch.body.leaf(() => {
        group.word(scratch, row, shift).vectorMemory(simd.v128_load, 2, 16 * i);
      }),
    );
    own.finish(stretch, sum.last(stretch.writer, all, false), row, item, true);
  };
  writeBlocks(f, { counter: row, step: 4, size: rows, body });
  return group.code(bytes);
}
