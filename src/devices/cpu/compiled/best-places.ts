import type { DType } from "../../../core/dtype.ts";
import { applyFormula, type Formula } from "../../../forms/scalars.ts";
import { foldRows } from "./fold-rows.ts";
import type { GroupCode } from "./group-code.ts";
import type { GroupWriter } from "./group-writer.ts";
import type { LaneWriter } from "./lane-scalars.ts";
import { fixed, NEIGHBOURS, PAIRS, type RowFold } from "./row-folds.ts";
import { rowsCode } from "./rows.ts";
import * as simd from "./simd.ts";
import type { Vector } from "./vector-body.ts";

/** The code that finds where the best element of a row is. */
export function argReduceCode(group: GroupWriter): GroupCode {
  return rowsCode(group, (rows, block) => {
    const { dtype, functions, isAlong } = rows;
    const fold = bestPlace(dtype, functions.better, rows.firsts(block), isAlong);
    rows.storeRow(block, [foldRows(rows, block, fold)]);
  });
}

/**
 * Where the best element is, the first of equal ones: `better` says whether one is better than another.
 * `firsts` hold the first element of each row; lanes are neighbours in it or rows.
 */
function bestPlace(
  dtype: DType,
  better: Formula,
  firsts: readonly number[],
  isAlong: boolean,
): RowFold {
  const isBetter = (writer: LaneWriter, a: Vector, b: Vector) =>
    applyFormula(better, writer.scalars(dtype), [a, b]);
  const firstOf = (writer: LaneWriter, part: number) => fixed(writer, firsts[part]);
  const select = ({ body }: LaneWriter, no: Vector, yes: Vector, condition: Vector) =>
    body.op(simd.v128_bitselect, yes, no, condition);
  /** The better one of values and their places. */
  const merge = (
    writer: LaneWriter,
    [best, place]: readonly Vector[],
    [x, there]: readonly Vector[],
  ) => {
    const { body } = writer;
    const isEqual = body.op(simd.v128_not, isBetter(writer, best, x));
    const isEarlier = body.op(simd.v128_and, isEqual, body.op(simd.i32x4_lt_u, there, place));
    const isNew = body.op(simd.v128_or, isBetter(writer, x, best), isEarlier);
    return [select(writer, best, x, isNew), select(writer, place, there, isNew)];
  };
  return {
    size: 3,
    nothing: firstOf,
    merge,
    first: (writer, part, behind) => {
      const { body } = writer;
      const places = isAlong ? body.words([0, 1, 2, 3].map((i) => behind + i)) : body.whole(0);
      return [firstOf(writer, part), body.whole(0), places];
    },
    step: (writer, [best, place, here], x, _, width) => {
      const { body } = writer;
      const isNew = isBetter(writer, x, best);
      return [
        select(writer, best, x, isNew),
        select(writer, place, here, isNew),
        body.op(simd.i32x4_add, here, body.whole(width)),
      ];
    },
    last: (writer, [best, place], isJoined) => {
      const { body } = writer;
      let found = [best, place];
      for (const lanes of isJoined ? [PAIRS, NEIGHBOURS] : []) {
        const turned = found.map((y) => body.shuffle(y, y, lanes));
        found = merge(writer, found, turned);
      }
      return found[1];
    },
  };
}
