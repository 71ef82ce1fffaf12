import type { FloatMath } from "./float-math.ts";
import * as simd from "./simd.ts";
import type { Instruction, Vector } from "./vector-body.ts";

/** The number that a word of 16 bits stands for: see shaders/lib/half.wgsl. */
export function halfValue(math: FloatMath, word: Vector): Vector {
  const { body } = math;
  const and = (bits: number) => body.op(simd.v128_and, word, body.whole(bits));
  const size = and(0x7fff);
  const above = (bits: number) => body.op(simd.i32x4_gt_s, size, body.whole(bits));
  const step = body.op(simd.v128_and, above(0x7bff), body.whole(0x38000000));
  const scaled = body.op(simd.i32x4_add, body.shift(simd.i32x4_shl, size, 13), step);
  const wide = body.op(simd.i32x4_add, scaled, body.whole(0x38000000));
  const small = math.mul(body.op(simd.f32x4_convert_i32x4_u, size), math.number(2 ** -24));
  const sign = body.shift(simd.i32x4_shl, and(0x8000), 16);
  return body.op(simd.v128_or, math.select(small, wide, above(0x3ff)), sign);
}

/** The word for a number: see there. */
export function halfBits(math: FloatMath, x: Vector): Vector {
  const { body } = math;
  const whole = (name: Instruction, a: Vector, b: number) => body.op(name, a, body.whole(b));
  const right = (value: Vector, count: number) => body.shift(simd.i32x4_shr_u, value, count);
  const size = body.op(simd.f32x4_abs, x);
  const low = whole(simd.i32x4_sub, math.add(size, math.number(0.5)), 0x3f000000);
  const odd = whole(simd.v128_and, right(size, 13), 1);
  const even = body.op(simd.i32x4_add, size, whole(simd.i32x4_add, odd, 0xfff - 0x38000000));
  const high = right(even, 13);
  const isLow = body.op(simd.i32x4_gt_s, body.whole(0x38800000), size);
  const bits = whole(simd.i32x4_min_u, math.select(high, low, isLow), 0x7c00);
  const signed = body.op(simd.v128_or, bits, whole(simd.v128_and, right(x, 16), 0x8000));
  return math.select(signed, body.whole(0x7e00), math.isNaN(x));
}
