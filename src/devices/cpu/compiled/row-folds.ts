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

const PAIRS = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
const NEIGHBOURS = [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11];
/** The first lane in all of them. */
export const FIRST_WORD = [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3];

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
      return turns.reduce((x, bytes) => join(writer, x, body.shuffle(x, x, bytes)), all);
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

/** Σ x / n of floats. */
export function meanOf(n: number): RowFold {
  return {
    ...SUM,
    last: (writer, sums, isJoined) => {
      const { body } = writer;
      const means = sums.map((sum) => body.op(simd.f64x2_div, sum, body.double(n)));
      return SUM.last(writer, means, isJoined);
    },
  };
}

/** Σ (x − m)² / n of floats with the mean m, of which `centers` hold what a float keeps. */
export function varianceOf(n: number, centers: readonly number[]): RowFold {
  const centerOf = (writer: LaneWriter, part: number) => fixed(writer, centers[part]);
  return {
    size: 4,
    nothing: centerOf,
    first: ({ body }) => [0, 0, 0, 0].map((zero) => body.whole(zero)),
    step: (writer, [low, high, lowSquares, highSquares], x, part) => {
      const { body } = writer;
      const center = centerOf(writer, part);
      const differences = [(y: Vector) => y, (y: Vector) => body.upper(y)].map((half) => {
        const [a, b] = [x, center].map((y) => body.op(simd.f64x2_promote_low_f32x4, half(y)));
        return body.op(simd.f64x2_sub, a, b);
      });
      const [d, e] = differences;
      return [
        body.op(simd.f64x2_add, low, d),
        body.op(simd.f64x2_add, high, e),
        body.op(simd.f64x2_add, lowSquares, body.op(simd.f64x2_mul, d, d)),
        body.op(simd.f64x2_add, highSquares, body.op(simd.f64x2_mul, e, e)),
      ];
    },
    last: (writer, [low, high, lowSquares, highSquares], isJoined) => {
      const { body } = writer;
      // Σ d² / n − (Σ d / n)² for d = x − center.
      const variance = (sum: Vector, squares: Vector) => {
        const [d, q] = [sum, squares].map((x) => body.op(simd.f64x2_div, x, body.double(n)));
        const own = body.op(simd.f64x2_sub, q, body.op(simd.f64x2_mul, d, d));
        return body.op(simd.f64x2_max, own, body.double(0));
      };
      const demoted = (x: Vector) => body.op(simd.f32x4_demote_f64x2_zero, x);
      if (!isJoined) {
        const halves = [variance(low, lowSquares), variance(high, highSquares)].map(demoted);
        return body.halves(halves[0], halves[1]);
      }
      const joined = (a: Vector, b: Vector) => {
        const two = body.op(simd.f64x2_add, a, b);
        return body.op(simd.f64x2_add, two, body.upper(two));
      };
      const one = demoted(variance(joined(low, high), joined(lowSquares, highSquares)));
      return body.shuffle(one, one, FIRST_WORD);
    },
  };
}

/**
 * Where the best element is, the first of equal ones: `better` says whether one is better than another.
 * `firsts` hold the first element of each row; lanes are neighbours in it or rows.
 */
export function bestPlace(
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
      for (const bytes of isJoined ? [PAIRS, NEIGHBOURS] : []) {
        const turned = found.map((y) => body.shuffle(y, y, bytes));
        found = merge(writer, found, turned);
      }
      return found[1];
    },
  };
}
