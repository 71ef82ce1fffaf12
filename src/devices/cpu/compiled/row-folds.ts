import type { DType } from "../../../core/dtype.ts";
import { is } from "../../../core/dtype.ts";
import { applyFormula, type Formula } from "../../../forms/scalars.ts";
import type { LaneWriter } from "./lane-scalars.ts";
import type { Vector } from "./vector-body.ts";

/** How a row's elements become one, in some vectors that are carried from element to element. */
export interface RowFold {
  /** How many vectors are carried. */
  readonly size: number;
  /** What they are before the first element. */
  first(writer: LaneWriter): Vector[];
  /** What an element of each lane makes of them. */
  step(writer: LaneWriter, carried: readonly Vector[], x: Vector): Vector[];
  /** What all lanes have to add to where they do not count. */
  nothing(writer: LaneWriter): Vector;
  /** The result, of each lane, or of all lanes together, in every lane. */
  last(writer: LaneWriter, carried: readonly Vector[], isJoined: boolean): Vector;
}

const PAIRS = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
const NEIGHBOURS = [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11];
const FIRST_WORD = [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3];

/** Combines elements by a formula; sums of floats are added up in float64. */
export function foldOf(dtype: DType, combine: Formula, identity: Formula): RowFold {
  return combine === "+" && is(dtype, "float") ? SUM : combined(dtype, combine, identity);
}

function combined(dtype: DType, combine: Formula, identity: Formula): RowFold {
  const join = (writer: LaneWriter, a: Vector, b: Vector) =>
    applyFormula(combine, writer.scalars(dtype), [a, b]);
  const nothing = (writer: LaneWriter) => applyFormula(identity, writer.scalars(dtype), []);
  return {
    size: 1,
    nothing,
    first: (writer) => [nothing(writer)],
    step: (writer, [all], x) => [join(writer, all, x)],
    last: (writer, [all], isJoined) => {
      const { body } = writer;
      const turns = isJoined ? [PAIRS, NEIGHBOURS] : [];
      return turns.reduce((x, bytes) => join(writer, x, body.shuffle(x, x, bytes)), all);
    },
  };
}

/** Σ x of floats, in float64. */
export const SUM: RowFold = {
  size: 2,
  nothing: ({ body }) => body.whole(0),
  first: ({ body }) => [body.whole(0), body.whole(0)],
  step: ({ body }, [low, high], x) => [
    body.op("f64x2.add", low, body.op("f64x2.promote_low_f32x4", x)),
    body.op("f64x2.add", high, body.op("f64x2.promote_low_f32x4", body.upper(x))),
  ],
  last: ({ body }, [low, high], isJoined) => {
    const demote = (x: Vector) => body.op("f32x4.demote_f64x2_zero", x);
    if (!isJoined) return body.halves(demote(low), demote(high));
    const two = body.op("f64x2.add", low, high);
    const one = demote(body.op("f64x2.add", two, body.upper(two)));
    return body.shuffle(one, one, FIRST_WORD);
  },
};
