import { DTYPES, type DType, is, isFloat } from "../../../core/dtype.ts";
import { getOrInsert } from "../../../core/get-or-insert.ts";
import type { Operations, Scalars } from "../../../forms/scalars.ts";
import { Draws, type Words } from "./draws.ts";
import { copySign, nextAfter, vectorFmod } from "./float-bits.ts";
import { FloatMath } from "./float-math.ts";
import type { KeptMemory } from "./group-code.ts";
import { vectorPower } from "./power.ts";
import { shiftedBy } from "./shifts.ts";
import * as simd from "./simd.ts";
import type { Instruction, Vector, VectorBody } from "./vector-body.ts";

const SIGN = 0x80000000;

/** Operations that floats and whole numbers have instructions of their own for. */
type Own =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "=="
  | "<"
  | "<="
  | ">"
  | ">="
  | "abs"
  | "sign"
  | "max"
  | "min";

type Common = Exclude<keyof Operations<Vector>, Own>;

/** Writes formulas as instructions on four lanes. Bools are masks: all bits of a lane or none. */
export class LaneWriter {
  readonly #math: FloatMath;
  readonly #draws: Draws;
  readonly #common: Pick<Operations<Vector>, Common>;
  /** Pairs of words by the value that stands for them. */
  readonly #words = new Map<Vector, Words>();
  readonly #scalars = new Map<DType, Scalars<Vector>>();

  /** @param memory where code may keep what it computes, if there is any. */
  constructor(
    readonly body: VectorBody,
    memory?: KeptMemory,
  ) {
    this.#math = new FloatMath(body);
    this.#draws = new Draws(this.#math, memory);
    this.#common = this.#commonOperations();
  }

  /** Gives the operations on values of a dtype. */
  scalars(dtype: DType): Scalars<Vector> {
    return getOrInsert(this.#scalars, dtype, () => this.#scalarsOf(dtype));
  }

  #scalarsOf(dtype: DType): Scalars<Vector> {
    const { body } = this;
    const own = isFloat(dtype) ? this.#floats() : this.#whole(is(dtype, "signed"));
    const literal = (value: number) => {
      if (isFloat(dtype)) return this.#math.number(value);
      return body.whole(is(dtype, "bool") ? -value : value);
    };
    return {
      call: (name, ...values) => {
        const operation = name in own ? own[name as Own] : this.#common[name as Common];
        return (operation as (...values: readonly unknown[]) => Vector)(...values);
      },
      literal,
      number: literal,
      from: (whole) => (isFloat(dtype) ? body.op(simd.f32x4_convert_i32x4_u, whole) : whole),
      // Elements of fewer bits are in words by now.
      convert: (value, to) => this.#converted(value, DTYPES[dtype].accumulate, to),
    };
  }

  #floats(): Pick<Operations<Vector>, Own> {
    const { body } = this;
    const math = this.#math;
    const instruction = (name: Instruction) => (a: Vector, b: Vector) => body.op(name, a, b);
    return {
      ...this.#whole(true),
      "+": instruction(simd.f32x4_add),
      "-": (a, b) => (b === undefined ? body.op(simd.f32x4_neg, a) : body.op(simd.f32x4_sub, a, b)),
      "*": instruction(simd.f32x4_mul),
      "/": instruction(simd.f32x4_div),
      "==": instruction(simd.f32x4_eq),
      "<": instruction(simd.f32x4_lt),
      "<=": instruction(simd.f32x4_le),
      ">": instruction(simd.f32x4_gt),
      ">=": instruction(simd.f32x4_ge),
      abs: (x) => body.op(simd.f32x4_abs, x),
      sign: (x) => math.sign(x),
      max: instruction(simd.f32x4_max),
      min: instruction(simd.f32x4_min),
    };
  }

  #whole(isSigned: boolean): Pick<Operations<Vector>, Own> {
    const { body } = this;
    const instruction = (name: Instruction) => (a: Vector, b: Vector) => body.op(name, a, b);
    const either = (signed: Instruction, unsigned: Instruction) =>
      instruction(isSigned ? signed : unsigned);
    const max = either(simd.i32x4_max_s, simd.i32x4_max_u);
    const min = either(simd.i32x4_min_s, simd.i32x4_min_u);
    return {
      "+": instruction(simd.i32x4_add),
      "-": (a, b) => (b === undefined ? body.op(simd.i32x4_neg, a) : body.op(simd.i32x4_sub, a, b)),
      "*": instruction(simd.i32x4_mul),
      "/": (a, b) => (isSigned ? this.#divided(a, b) : body.divided(a, b)),
      "%": (a, b) => {
        if (!isSigned) return body.remainder(a, b);
        return body.op(simd.i32x4_sub, a, body.op(simd.i32x4_mul, this.#divided(a, b), b));
      },
      "==": instruction(simd.i32x4_eq),
      "<": either(simd.i32x4_lt_s, simd.i32x4_lt_u),
      "<=": either(simd.i32x4_le_s, simd.i32x4_le_u),
      ">": either(simd.i32x4_gt_s, simd.i32x4_gt_u),
      ">=": either(simd.i32x4_ge_s, simd.i32x4_ge_u),
      abs: (x) => body.op(simd.i32x4_abs, x),
      sign: (x) => min(max(x, body.whole(-1)), body.whole(1)),
      max,
      min,
    };
  }

  #commonOperations(): Pick<Operations<Vector>, Common> {
    const { body } = this;
    const math = this.#math;
    const draws = this.#draws;
    const instruction = (name: Instruction) => (a: Vector, b: Vector) => body.op(name, a, b);
    return {
      "&": instruction(simd.v128_and),
      "|": instruction(simd.v128_or),
      "^": instruction(simd.v128_xor),
      "~": (x) => body.op(simd.v128_not, x),
      "!": (x) => body.op(simd.v128_not, x),
      floor: (x) => body.op(simd.f32x4_floor, x),
      ceil: (x) => body.op(simd.f32x4_ceil, x),
      trunc: (x) => body.op(simd.f32x4_trunc, x),
      round: (x) => body.op(simd.f32x4_nearest, x),
      select: (no, yes, condition) => math.select(no, yes, condition),
      g_is_nan: (x) => math.isNaN(x),
      g_is_finite: (x) => math.isFinite(x),
      g_copysign: (x, y) => copySign(math, x, y),
      g_next_after: (x, y) => nextAfter(math, x, y),
      g_fmod: (x, y) => vectorFmod(math, x, y),
      shift_left_i32: (x, n) => shiftedBy(body, simd.i32x4_shl, x, n),
      shift_left_u32: (x, n) => shiftedBy(body, simd.i32x4_shl, x, n),
      shift_right_i32: (x, n) => shiftedBy(body, simd.i32x4_shr_s, x, n),
      shift_right_u32: (x, n) => shiftedBy(body, simd.i32x4_shr_u, x, n),
      g_sqrt: (x) => body.op(simd.f32x4_sqrt, x),
      g_exp: (x) => math.exp(x),
      g_expm1: (x) => math.expm1(x),
      g_exp2: (x) => math.exp2(x),
      g_log: (x) => math.log(x),
      g_log2: (x) => math.log2(x),
      g_log1p: (x) => math.log1p(x),
      g_sigmoid: (x) => math.sigmoid(x),
      g_tanh: (x) => math.tanh(x),
      g_softplus: (x) => math.softplus(x),
      g_sin: (x) => math.sin(x),
      g_cos: (x) => math.cos(x),
      g_pow: (x, y) => vectorPower(math, x, y),
      vec2u: (a, b) => this.#pair([a, b]),
      threefry2x32: (key, counter) => this.#pair(draws.threefry(this.#of(key), this.#of(counter))),
      random_bits: (key, i) => draws.bits(this.#of(key), i),
      random_unit: (bits) => draws.unit(bits),
      random_uniform: (bits, ...range) => draws.uniform(bits, ...range),
      random_normal: (key, i) => draws.normal(this.#of(key), i),
      shuffled_index: (key, n, sides, roundPairs, i) =>
        draws.shuffled(this.#of(key), n, this.#of(sides), roundPairs, i),
      drawn_index: (key, n, i) => draws.drawn(this.#of(key), n, i),
      order_key_f32: (x) => this.#orderKey(x, 0),
      order_key_i32: (x) => body.op(simd.v128_xor, x, body.whole(SIGN)),
      order_key_u32: (x) => x,
      order_key_down_f32: (x) => this.#orderKey(x, -1),
      order_key_down_i32: (x) => body.op(simd.v128_xor, x, body.whole(~SIGN)),
      order_key_down_u32: (x) => body.op(simd.v128_not, x),
      fma: (a, b, c) => math.multiplyAdd(a, b, c),
    };
  }

  /** a / b of whole numbers of both signs, cut towards 0. */
  #divided(a: Vector, b: Vector): Vector {
    const { body } = this;
    const quotient = body.divided(body.op(simd.i32x4_abs, a), body.op(simd.i32x4_abs, b));
    const sign = body.shift(simd.i32x4_shr_s, body.op(simd.v128_xor, a, b), 31);
    return body.op(simd.i32x4_sub, body.op(simd.v128_xor, quotient, sign), sign);
  }

  /** The bits of −x and x in the order of numbers, turned round by `flip`; NaN last. */
  #orderKey(x: Vector, flip: number): Vector {
    const { body } = this;
    const isBelow = body.op(simd.f32x4_lt, x, body.whole(0));
    const above = body.op(simd.v128_or, x, body.whole(SIGN));
    const key = body.op(simd.v128_bitselect, body.op(simd.v128_not, x), above, isBelow);
    const turned = body.op(simd.v128_xor, key, body.whole(flip));
    return body.op(simd.v128_or, turned, this.#math.isNaN(x));
  }

  /** A value that stands for two. */
  #pair(words: Words): Vector {
    return this.body.once(`words ${words}`, () => {
      const value = this.body.leaf(() => {}, words);
      this.#words.set(value, words);
      return value;
    });
  }

  #of(pair: Vector): Words {
    return this.#words.get(pair) as Words;
  }

  #converted(value: Vector, from: DType, to: DType): Vector {
    const { body } = this;
    const zero = body.whole(0);
    if (from === to) return value;
    if (is(to, "bool")) return body.op(isFloat(from) ? simd.f32x4_ne : simd.i32x4_ne, value, zero);
    if (is(from, "bool")) {
      return body.op(simd.v128_and, value, isFloat(to) ? this.#math.number(1) : body.whole(1));
    }
    const isSigned = is(to, "signed");
    if (isFloat(from)) {
      return body.op(isSigned ? simd.i32x4_trunc_sat_f32x4_s : simd.i32x4_trunc_sat_f32x4_u, value);
    }
    if (isFloat(to)) {
      return body.op(
        is(from, "signed") ? simd.f32x4_convert_i32x4_s : simd.f32x4_convert_i32x4_u,
        value,
      );
    }
    // Whole numbers below 0, and from 2³¹ on, become the nearest.
    if (is(from, "signed")) return body.op(simd.i32x4_max_s, value, zero);
    return isSigned ? body.op(simd.i32x4_min_u, value, body.whole(2 ** 31 - 1)) : value;
  }
}
