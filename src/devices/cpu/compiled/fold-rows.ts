import { V128 } from "./assembler.ts";
import type { LaneWriter } from "./lane-scalars.ts";
import type { RowFold } from "./row-folds.ts";
import type { RowBlock, RowStretch } from "./row-loops.ts";
import { asItIs, type Change, type RowsWriter } from "./rows.ts";
import * as simd from "./simd.ts";
import type { Vector } from "./vector-body.ts";

/** Four vectors side by side in a row, of which none waits for another. */
const WIDE: RowBlock = { parts: [0, 4, 8, 12].map((add) => ({ add, count: 4 })) };
/** Elements of those. */
const WIDTH = 16;
/** Shorter rows are folded in one chain. */
const LONG = 4 * WIDTH;

/**
 * Folds each row of a block; gives locals with the results, one for each part.
 * @param isKept whether what is folded of each element is kept.
 */
export function foldRows(
  rows: RowsWriter,
  block: RowBlock,
  fold: RowFold,
  change: Change = asItIs,
  isKept = false,
): number[] {
  const { f } = rows.group;
  const { isAlong, loops, length } = rows;
  const { merge } = fold;
  const isWide = isAlong && merge && loops.items.length === 1 && length >= LONG && !isKept;
  const { parts } = isWide ? WIDE : block;
  const carried = parts.map(() => Array.from({ length: fold.size }, () => f.local(V128)));
  for (const [part, own] of carried.entries()) {
    const writer = rows.writer();
    const first = isWide ? fold.first(writer, 0, 4 * part) : fold.first(writer, part, 0);
    for (const [k, root] of first.entries()) f.get(writer.body.emit([root])[0]).set(own[k]);
  }
  const make = ({ stretch, writer, body, at }: RowStretch, count: number) => {
    const kept: Vector[] = [];
    const roots = stretch.all.flatMap((one, i) => {
      const part = isWide ? 0 : i;
      const x = change(writer, one.element(rows.input, at[i]), part);
      if (isKept) kept.push(x);
      const own = carried[i].map((local) => body.local(local));
      const whole = isAlong ? withoutRest(writer, fold, x, count, part) : x;
      return fold.step(writer, own, whole, part, isAlong ? 4 * at.length : 1);
    });
    const store = (locals: readonly number[]) => {
      for (const local of locals.slice(0, roots.length)) f.get(local);
      for (const local of carried.slice(0, at.length).flat().reverse()) f.set(local);
      for (const [part, local] of locals.slice(roots.length).entries()) {
        rows.keptAddress(kept.length).get(local);
        f.vectorMemory(simd.v128_store, 4, 16 * part);
      }
    };
    return { roots: [...roots, ...kept], store };
  };
  if (isWide) {
    const rest = length % WIDTH;
    rows.runAlong(WIDE, make, 0, length - rest);
    const writer = rows.writer();
    const values = carried.map((own) => own.map((local) => writer.body.local(local)));
    const all = writer.body.emit(values.reduce((a, b) => merge(writer, a, b)));
    for (const [k, local] of all.entries()) f.get(local).set(carried[0][k]);
    if (rest > 0) rows.runAlong(block, make, length - rest, length);
  } else rows.run(block, make);
  return carried.slice(0, block.parts.length).map((own) => {
    const writer = rows.writer();
    const values = own.map((local) => writer.body.local(local));
    return writer.body.emit([fold.last(writer, values, isAlong)])[0];
  });
}

/** Lanes behind a row's end as what adds nothing. */
function withoutRest(
  writer: LaneWriter,
  fold: RowFold,
  x: Vector,
  count: number,
  part: number,
): Vector {
  if (count === 4) return x;
  const { body } = writer;
  const lanes = [0, 1, 2, 3].map((lane) => (lane < count ? -1 : 0));
  return body.op(simd.v128_bitselect, x, fold.nothing(writer, part), body.words(lanes));
}
