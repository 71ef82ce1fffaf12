import type { DType } from "../core/dtype.ts";

type Unary<V> = (x: V) => V;
type Binary<V> = (a: V, b: V) => V;

/**
 * What formulas of elements are made of, by the names that WGSL and `shaders/lib/` have for it; every
 * device that compiles formulas has them all. They give what the op of the name specifies.
 */
export interface Operations<V> {
  "+": Binary<V>;
  "-": (a: V, b?: V) => V;
  "*": Binary<V>;
  /** Cut towards 0 of whole numbers, of which the second is not 0. */
  "/": Binary<V>;
  /** What that leaves of whole numbers, with the sign of the first. */
  "%": Binary<V>;
  "==": Binary<V>;
  "<": Binary<V>;
  "<=": Binary<V>;
  ">": Binary<V>;
  ">=": Binary<V>;
  /** Of bools, or of the bits of whole numbers. */
  "&": Binary<V>;
  "|": Binary<V>;
  /** Of the bits of whole numbers. */
  "^": Binary<V>;
  "~": Unary<V>;
  /** Of a bool. */
  "!": Unary<V>;
  abs: Unary<V>;
  sign: Unary<V>;
  floor: Unary<V>;
  ceil: Unary<V>;
  trunc: Unary<V>;
  /** To the nearest whole number, of two the even one. */
  round: Unary<V>;
  max: Binary<V>;
  min: Binary<V>;
  /** `yes` where the bool holds, else `no`. */
  select: (no: V, yes: V, condition: V) => V;
  g_is_nan: Unary<V>;
  g_is_finite: Unary<V>;
  /** The size of one with the sign of another, which counts as + where that is NaN. */
  g_copysign: Binary<V>;
  /** The next number from one towards another. */
  g_next_after: Binary<V>;
  /** What a division cut towards 0 leaves of floats, exactly. */
  g_fmod: Binary<V>;
  /** Shifts by whole numbers; all bits go out where these are below 0 or above 31. */
  shift_left_i32: Binary<V>;
  shift_left_u32: Binary<V>;
  shift_right_i32: Binary<V>;
  shift_right_u32: Binary<V>;
  /** The f32 that a word of f16 stands for, and the word for an f32. */
  g_half: Unary<V>;
  g_half_bits: Unary<V>;
  g_sqrt: Unary<V>;
  g_exp: Unary<V>;
  g_expm1: Unary<V>;
  g_exp2: Unary<V>;
  g_log: Unary<V>;
  g_log2: Unary<V>;
  g_log1p: Unary<V>;
  g_sigmoid: Unary<V>;
  g_tanh: Unary<V>;
  g_softplus: Unary<V>;
  g_sin: Unary<V>;
  g_cos: Unary<V>;
  g_pow: Binary<V>;
  /** Two words: a key, or a counter. */
  vec2u: Binary<V>;
  /** Two words from a key and a counter. */
  threefry2x32: Binary<V>;
  /** Word i of a key's stream. */
  random_bits: (key: V, i: V) => V;
  /** The upper 24 bits of a word as a number from 0 to 1. */
  random_unit: Unary<V>;
  random_uniform: (bits: V, low: V, high: V, rangeHigh: V, rangeLow: V) => V;
  random_normal: (key: V, i: V) => V;
  shuffled_index: (key: V, n: V, sides: V, roundPairs: V, i: V) => V;
  drawn_index: (key: V, n: V, i: V) => V;
  /** A word that is larger the later a number comes in order: −0 like 0, NaN last. */
  order_key_f32: Unary<V>;
  order_key_i32: Unary<V>;
  order_key_u32: Unary<V>;
  /** The same for the largest first; NaN last. */
  order_key_down_f32: Unary<V>;
  order_key_down_i32: Unary<V>;
  order_key_down_u32: Unary<V>;
  /** a · b + c, where the product may be rounded or not. */
  fma: (a: V, b: V, c: V) => V;
}

/** What formulas of elements of one dtype are written in, whatever a value is: in WGSL, a text. */
export interface Scalars<V> {
  call<O extends keyof Operations<V>>(operation: O, ...values: Parameters<Operations<V>[O]>): V;
  /** A number by which code may be chosen. */
  literal(value: number): V;
  /** A number by which formulas may differ that are equal else: see `number`. */
  number(value: number): V;
  /** An element of this dtype from a whole number of 32 bits, or such a one from its bits. */
  from(whole: V): V;
  /** What `cast` makes of a value of this dtype. */
  convert(value: V, to: DType): V;
}

/** What an element is made of others by: one operation, or several. */
export type Formula = keyof Operations<unknown> | (<V>(m: Scalars<V>, ...values: V[]) => V);

/** Writes what a formula makes of values. */
export function applyFormula<V>(formula: Formula, m: Scalars<V>, values: V[]): V {
  if (typeof formula !== "string") return formula(m, ...values);
  return m.call(formula, ...(values as Parameters<Operations<V>[typeof formula]>));
}
