import { I32 } from "./assembler.ts";
import { writeBlocks } from "./blocks.ts";
import type { GroupCode } from "./group-code.ts";
import type { GroupWriter } from "./group-writer.ts";
import { ScatterWriter } from "./scatter.ts";
import * as simd from "./simd.ts";

/** The code of elements that are put where a permutation of each row says, among zeros. */
export function placeCode(group: GroupWriter): GroupCode {
  const own = new ScatterWriter(group);
  const { f, program, scratch } = group;
  const [order, g] = own.inputs;
  const [rows, length] = own.shape;
  const [, count] = program[order].shape;
  const [row, item, place] = Array.from({ length: 3 }, () => f.local(I32));
  const sizes = [
    { local: row, size: rows },
    { local: item, size: count },
  ];
  f.count(row, 1, rows, () => {
    f.get(scratch).zero(4 * length);
    f.count(item, 1, count, () => {
      own.indexed(order, sizes, place, length, () => {
        const [local] = own.read(g, sizes);
        group.word(scratch, place).get(local).vectorMemory(simd.v128_store32_lane, 2, 0, 0);
      });
    });
    const body = (lanes: number) => {
      const stretch = group.stretch([lanes]);
      const kept = stretch.body.leaf(() => {
        group.word(scratch, item).vectorMemory(simd.v128_load, 2, 0);
      });
      own.finish(stretch, kept, row, item);
    };
    writeBlocks(f, { counter: item, step: 4, size: length, body });
  });
  return group.code(4 * length + 16);
}
