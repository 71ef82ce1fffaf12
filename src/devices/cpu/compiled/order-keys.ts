import type { OrderKeys } from "./lane-scalars.ts";
import * as simd from "./simd.ts";
import type { Vector } from "./vector-body.ts";

const SIGN = 0x80000000;

/** Keys of which one is larger the later a number comes in order. */
export const orderKeys: OrderKeys = (body) => {
  /** The bits of −x and x in the order of numbers, turned round by `flip`; NaN last. */
  const ofFloat = (flip: number) => (x: Vector) => {
    const isBelow = body.op(simd.f32x4_lt, x, body.whole(0));
    const above = body.op(simd.v128_or, x, body.whole(SIGN));
    const key = body.op(simd.v128_bitselect, body.op(simd.v128_not, x), above, isBelow);
    const turned = body.op(simd.v128_xor, key, body.whole(flip));
    return body.op(simd.v128_or, turned, body.op(simd.f32x4_ne, x, x));
  };
  return {
    order_key_f32: ofFloat(0),
    order_key_i32: (x) => body.op(simd.v128_xor, x, body.whole(SIGN)),
    order_key_u32: (x) => x,
    order_key_down_f32: ofFloat(-1),
    order_key_down_i32: (x) => body.op(simd.v128_xor, x, body.whole(~SIGN)),
    order_key_down_u32: (x) => body.op(simd.v128_not, x),
  };
};
