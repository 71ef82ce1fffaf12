import { foldRows } from "./fold-rows.ts";
import type { GroupCode } from "./group-code.ts";
import type { GroupWriter } from "./group-writer.ts";
import type { LaneWriter } from "./lane-scalars.ts";
import { FIRST_WORD, fixed, type RowFold, SUM } from "./row-folds.ts";
import { rowsCode } from "./rows.ts";
import * as simd from "./simd.ts";
import type { Vector } from "./vector-body.ts";

/** The code of means and variances. */
export function momentsCode(group: GroupWriter): GroupCode {
  return rowsCode(group, (rows, block) => {
    const mean = foldRows(rows, block, meanOf(rows.length));
    rows.storeRow(block, [mean, foldRows(rows, block, varianceOf(rows.length, mean))]);
  });
}

/** Σ x / n of floats. */
function meanOf(n: number): RowFold {
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
function varianceOf(n: number, centers: readonly number[]): RowFold {
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
