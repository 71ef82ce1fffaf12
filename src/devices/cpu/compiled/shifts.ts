import * as simd from "./simd.ts";
import type { Instruction, Vector, VectorBody } from "./vector-body.ts";

/** Shifts each lane by a count of its own; all bits go out where that is below 0 or above 31. */
export function shiftedBy(body: VectorBody, name: Instruction, x: Vector, counts: Vector): Vector {
  const count = body.bitsOf(counts) ?? -1;
  if (count >= 0 && count < 32) return body.shift(name, x, count);
  const most = body.whole(31);
  const isBeyond = body.op(simd.i32x4_gt_u, counts, most);
  const gone = name === simd.i32x4_shr_s ? body.shift(name, x, 31) : body.whole(0);
  // By 1, 2, 4, … bits where the count has that bit, for instructions shift all lanes alike.
  const inside = [1, 2, 4, 8, 16].reduce((y, bits) => {
    const bit = body.whole(bits);
    const isSet = body.op(simd.i32x4_eq, body.op(simd.v128_and, counts, bit), bit);
    return body.op(simd.v128_bitselect, body.shift(name, y, bits), y, isSet);
  }, x);
  return body.op(simd.v128_bitselect, gone, inside, isBeyond);
}
