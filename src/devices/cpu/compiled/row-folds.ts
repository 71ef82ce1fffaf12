import type { DType } from "../../../core/dtype.ts";
import { is } from "../../../core/dtype.ts";
import { applyFormula, type Formula } from "../../../forms/scalars.ts";
import type { LaneWriter } from "./lane-scalars.ts";
import * as simd from "./simd.ts";
import type { Vector } from "./vector-body.ts";

/** How a row's elements become one, in some vectors that are carried from element to element. */
export interface RowFold {
  /** How many vectors are carried. */
  readonly size: number;
  /**
   * What they are before the first element, in one part of a block of rows; or in vectors of neighbours,
   * of which the first one is so far behind the row's first.
   */
  first(writer: LaneWriter, part: number, behind: number): Vector[];
  /** What an element of each lane makes of them; neighbours go on by so many elements. */
  step(
    writer: LaneWriter,
    carried: readonly Vector[],
    x: Vector,
    part: number,
    width: number,
  ): Vector[];
  /**
   * Makes the first ones of two that are carried; left out where the order of elements matters, or where
   * one chain of them is as fast as several.
   */
  merge?(writer: LaneWriter, a: readonly Vector[], b: readonly Vector[]): Vector[];
  /** An element that changes nothing, for lanes that do not count. */
  nothing(writer: LaneWriter, part: number): Vector;
  /** The result, of each lane, or of all lanes together, in every lane. */
  last(writer: LaneWriter, carried: readonly Vector[], isJoined: boolean): Vector;
}

export const PAIRS = [2, 3, 0, 1];
export const NEIGHBOURS = [1, 0, 3, 2];
/** The first lane in all of them. */
export const FIRST_WORD = [0, 0, 0, 0];

/** What a local holds that does not change along a row. */
export function fixed({ body }: LaneWriter, local: number): Vector {
  return body.local(local, { isVarying: false });
}

/** Combines elements by a formula; sums of floats are added up in float64. */
export function foldOf(dtype: DType, combine: Formula, identity: Formula): RowFold {
  return combine === "+" && is(dtype, "float") ? SUM : combined(dtype, combine, identity);
}

function combined(dtype: DType, combine: Formula, identity: Formula): RowFold {
  const join = (writer: LaneWriter, a: Vector, b: Vector) =>
    applyFormula(combine, writer.scalars(dtype), [a, b]);
  const nothing = (writer: LaneWriter) => applyFormula(identity, writer.scalars(dtype), []);
  return { ...joined(join, nothing), merge: (writer, [a], [b]) => [join(writer, a, b)] };
}

function joined(
  join: (writer: LaneWriter, a: Vector, b: Vector) => Vector,
  nothing: (writer: LaneWriter) => Vector,
): RowFold {
  return {
    size: 1,
    nothing,
    first: (writer) => [nothing(writer)],
    step: (writer, [all], x) => [join(writer, all, x)],
    last: (writer, [all], isJoined) => {
      const { body } = writer;
      const turns = isJoined ? [PAIRS, NEIGHBOURS] : [];
      return turns.reduce((x, lanes) => join(writer, x, body.shuffle(x, x, lanes)), all);
    },
  };
}

/** The largest of floats but for NaN, which exponentials of differences from it are themselves. */
export const LARGEST: RowFold = /* @__PURE__ */ joined(
  ({ body }, a, b) => body.op(simd.f32x4_pmax, a, b),
  (writer) => writer.scalars("f32").literal(Number.NEGATIVE_INFINITY),
);

/** Σ x of floats, in float64. */
export const SUM: RowFold = {
  size: 2,
  nothing: ({ body }) => body.whole(0),
  first: ({ body }) => [body.whole(0), body.whole(0)],
  step: ({ body }, [low, high], x) => [
    body.op(simd.f64x2_add, low, body.op(simd.f64x2_promote_low_f32x4, x)),
    body.op(simd.f64x2_add, high, body.op(simd.f64x2_promote_low_f32x4, body.upper(x))),
  ],
  last: ({ body }, [low, high], isJoined) => {
    const demote = (x: Vector) => body.op(simd.f32x4_demote_f64x2_zero, x);
    if (!isJoined) return body.halves(demote(low), demote(high));
    const two = body.op(simd.f64x2_add, low, high);
    const one = demote(body.op(simd.f64x2_add, two, body.upper(two)));
    return body.shuffle(one, one, FIRST_WORD);
  },
};
