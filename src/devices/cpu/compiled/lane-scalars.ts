import { type DType, is, isFloat } from "../../../core/dtype.ts";
import { getOrInsert } from "../../../core/get-or-insert.ts";
import type { Operations, Scalars } from "../../../forms/scalars.ts";
import { Draws, type Words } from "./draws.ts";
import { FloatMath } from "./float-math.ts";
import type { KeptMemory } from "./group-code.ts";
import type { Instruction } from "./instructions.ts";
import { vectorPower } from "./power.ts";
import type { Vector, VectorBody } from "./vector-body.ts";

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
      from: (whole) => (isFloat(dtype) ? body.op("f32x4.convert_i32x4_u", whole) : whole),
      convert: (value, to) => this.#converted(value, dtype, to),
    };
  }

  #floats(): Pick<Operations<Vector>, Own> {
    const { body } = this;
    const math = this.#math;
    const instruction = (name: Instruction) => (a: Vector, b: Vector) => body.op(name, a, b);
    return {
      ...this.#whole(true),
      "+": instruction("f32x4.add"),
      "-": (a, b) => (b === undefined ? body.op("f32x4.neg", a) : body.op("f32x4.sub", a, b)),
      "*": instruction("f32x4.mul"),
      "/": instruction("f32x4.div"),
      "==": instruction("f32x4.eq"),
      "<": instruction("f32x4.lt"),
      "<=": instruction("f32x4.le"),
      ">": instruction("f32x4.gt"),
      ">=": instruction("f32x4.ge"),
      abs: (x) => body.op("f32x4.abs", x),
      sign: (x) => math.sign(x),
      max: instruction("f32x4.max"),
      min: instruction("f32x4.min"),
    };
  }

  #whole(isSigned: boolean): Pick<Operations<Vector>, Own> {
    const { body } = this;
    const instruction = (name: Instruction) => (a: Vector, b: Vector) => body.op(name, a, b);
    const either = (signed: Instruction, unsigned: Instruction) =>
      instruction(isSigned ? signed : unsigned);
    const max = either("i32x4.max_s", "i32x4.max_u");
    const min = either("i32x4.min_s", "i32x4.min_u");
    return {
      "+": instruction("i32x4.add"),
      "-": (a, b) => (b === undefined ? body.op("i32x4.neg", a) : body.op("i32x4.sub", a, b)),
      "*": instruction("i32x4.mul"),
      "/": (a, b) => body.divided(a, b),
      "%": (a, b) => body.remainder(a, b),
      "==": instruction("i32x4.eq"),
      "<": either("i32x4.lt_s", "i32x4.lt_u"),
      "<=": either("i32x4.le_s", "i32x4.le_u"),
      ">": either("i32x4.gt_s", "i32x4.gt_u"),
      ">=": either("i32x4.ge_s", "i32x4.ge_u"),
      abs: (x) => body.op("i32x4.abs", x),
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
      "&": instruction("v128.and"),
      "|": instruction("v128.or"),
      "!": (x) => body.op("v128.not", x),
      floor: (x) => body.op("f32x4.floor", x),
      select: (no, yes, condition) => math.select(no, yes, condition),
      g_is_nan: (x) => math.isNaN(x),
      g_is_finite: (x) => math.isFinite(x),
      g_sqrt: (x) => body.op("f32x4.sqrt", x),
      g_exp: (x) => math.exp(x),
      g_expm1: (x) => math.expm1(x),
      g_log: (x) => math.log(x),
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
      order_key_i32: (x) => body.op("v128.xor", x, body.whole(SIGN)),
      order_key_u32: (x) => x,
      order_key_down_f32: (x) => this.#orderKey(x, -1),
      order_key_down_i32: (x) => body.op("v128.xor", x, body.whole(~SIGN)),
      order_key_down_u32: (x) => body.op("v128.not", x),
      multiply_add: (a, b, c) => math.multiplyAdd(a, b, c),
    };
  }

  /** The bits of −x and x in the order of numbers, turned round by `flip`; NaN last. */
  #orderKey(x: Vector, flip: number): Vector {
    const { body } = this;
    const isBelow = body.op("f32x4.lt", x, body.whole(0));
    const above = body.op("v128.or", x, body.whole(SIGN));
    const key = body.op("v128.bitselect", body.op("v128.not", x), above, isBelow);
    const turned = body.op("v128.xor", key, body.whole(flip));
    return body.op("v128.or", turned, this.#math.isNaN(x));
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
    if (is(to, "bool")) return body.op(isFloat(from) ? "f32x4.ne" : "i32x4.ne", value, zero);
    if (is(from, "bool")) {
      return body.op("v128.and", value, isFloat(to) ? this.#math.number(1) : body.whole(1));
    }
    const isSigned = is(to, "signed");
    if (isFloat(from)) {
      return body.op(isSigned ? "i32x4.trunc_sat_f32x4_s" : "i32x4.trunc_sat_f32x4_u", value);
    }
    if (isFloat(to)) {
      return body.op(is(from, "signed") ? "f32x4.convert_i32x4_s" : "f32x4.convert_i32x4_u", value);
    }
    // Whole numbers below 0, and from 2³¹ on, become the nearest.
    if (is(from, "signed")) return body.op("i32x4.max_s", value, zero);
    return isSigned ? body.op("i32x4.min_u", value, body.whole(2 ** 31 - 1)) : value;
  }
}
