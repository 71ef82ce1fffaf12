import { DTYPES, type DType, is, isFloat } from "../../../core/dtype.ts";
import { getOrInsert } from "../../../core/get-or-insert.ts";
import type { Operations, Scalars } from "../../../forms/scalars.ts";
import { FloatMath } from "./float-math.ts";
import type { KeptMemory } from "./group-code.ts";
import * as simd from "./simd.ts";
import type { Instruction, Vector, VectorBody } from "./vector-body.ts";

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

/** What sorting alone calls. */
type OrderKey = Extract<keyof Operations<Vector>, `order_key_${string}`>;

/** What libraries have that few apps call. */
type MoreFunction =
  | Extract<keyof Operations<Vector>, `random_${string}` | `shift_${string}` | `${string}_index`>
  | "g_copysign"
  | "g_next_after"
  | "g_fmod"
  | "g_half"
  | "g_half_bits"
  | "g_expm1"
  | "g_exp2"
  | "g_log2"
  | "g_log1p"
  | "g_tanh"
  | "g_softplus"
  | "g_sin"
  | "g_cos"
  | "g_pow"
  | "vec2u"
  | "threefry2x32";

type Common = Exclude<keyof Operations<Vector>, Own>;

/** Makes functions of elements that few formulas call, for one body. */
export type RareFunctions<Name extends Common = never> = (
  body: VectorBody,
  memory?: KeptMemory,
) => Pick<Operations<Vector>, Name>;
export type OrderKeys = RareFunctions<OrderKey>;
export type MoreFunctions = RareFunctions<MoreFunction>;

const rareFunctions: RareFunctions[] = [];

/** Adds functions that formulas may call. */
export function addFunctions(make: RareFunctions): void {
  rareFunctions.push(make);
}

/** Writes formulas as instructions on four lanes. Bools are masks: all bits of a lane or none. */
export class LaneWriter {
  readonly #math: FloatMath;
  readonly #common: Partial<Pick<Operations<Vector>, Common>>;
  readonly #scalars = new Map<DType, Scalars<Vector>>();

  /** @param memory where code may keep what it computes, if there is any. */
  constructor(
    readonly body: VectorBody,
    memory?: KeptMemory,
  ) {
    this.#math = new FloatMath(body);
    const rare = rareFunctions.map((make) => make(body, memory));
    this.#common = Object.assign(this.#commonOperations(), ...rare);
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

  #commonOperations(): Pick<Operations<Vector>, Exclude<Common, OrderKey | MoreFunction>> {
    const { body } = this;
    const math = this.#math;
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
      g_sqrt: (x) => body.op(simd.f32x4_sqrt, x),
      g_exp: (x) => math.exp(x),
      g_log: (x) => math.log(x),
      g_sigmoid: (x) => math.sigmoid(x),
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
