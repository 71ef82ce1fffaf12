import { Draws, type Words } from "./draws.ts";
import { copySign, nextAfter, vectorFmod } from "./float-bits.ts";
import { halfBits, halfValue } from "./half.ts";
import type { MoreFunctions } from "./lane-scalars.ts";
import { MoreMath } from "./more-math.ts";
import { vectorPower } from "./power.ts";
import { shiftedBy } from "./shifts.ts";
import * as simd from "./simd.ts";
import type { Vector } from "./vector-body.ts";

/** Functions of the libraries that few apps have: of numbers, of their bits, and random ones. */
export const moreFunctions: MoreFunctions = (body, memory) => {
  const math = new MoreMath(body);
  const draws = new Draws(math, memory);
  /** Pairs of words by the value that stands for them. */
  const known = new Map<Vector, Words>();
  const pair = (words: Words): Vector =>
    body.once(`words ${words}`, () => {
      const value = body.leaf(() => {}, words);
      known.set(value, words);
      return value;
    });
  const of = (value: Vector) => known.get(value) as Words;
  return {
    g_copysign: (x, y) => copySign(math, x, y),
    g_next_after: (x, y) => nextAfter(math, x, y),
    g_fmod: (x, y) => vectorFmod(math, x, y),
    g_half: (word) => halfValue(math, word),
    g_half_bits: (x) => halfBits(math, x),
    shift_left_i32: (x, n) => shiftedBy(body, simd.i32x4_shl, x, n),
    shift_left_u32: (x, n) => shiftedBy(body, simd.i32x4_shl, x, n),
    shift_right_i32: (x, n) => shiftedBy(body, simd.i32x4_shr_s, x, n),
    shift_right_u32: (x, n) => shiftedBy(body, simd.i32x4_shr_u, x, n),
    g_expm1: (x) => math.expm1(x),
    g_exp2: (x) => math.exp2(x),
    g_log2: (x) => math.log2(x),
    g_log1p: (x) => math.log1p(x),
    g_tanh: (x) => math.tanh(x),
    g_softplus: (x) => math.softplus(x),
    g_sin: (x) => math.sin(x),
    g_cos: (x) => math.cos(x),
    g_pow: (x, y) => vectorPower(math, x, y),
    vec2u: (a, b) => pair([a, b]),
    threefry2x32: (key, counter) => pair(draws.threefry(of(key), of(counter))),
    random_bits: (key, i) => draws.bits(of(key), i),
    random_unit: (bits) => draws.unit(bits),
    random_uniform: (bits, ...range) => draws.uniform(bits, ...range),
    random_normal: (key, i) => draws.normal(of(key), i),
    shuffled_index: (key, n, sides, roundPairs, i) =>
      draws.shuffled(of(key), n, of(sides), roundPairs, i),
    drawn_index: (key, n, i) => draws.drawn(of(key), n, i),
  };
};
