import type { FloatMath } from "./float-math.ts";
import * as simd from "./simd.ts";
import type { Vector, VectorBody } from "./vector-body.ts";

const SIGN = 0x80000000;

/** xʸ as Math.pow has it: e^(y log|x|) in float64, which leaves the rounding of its end, and signs. */
export function vectorPower(m: FloatMath, x: Vector, y: Vector): Vector {
  const { body } = m;
  const size = body.op(simd.f32x4_abs, x);
  const [low, high] = [[size, y] as const, [body.upper(size), body.upper(y)] as const].map(
    ([a, b]) => new PowerHalf(body).power(a, b),
  );
  const magnitude = body.halves(low, high);
  const zero = m.number(0);
  const absolute = body.op(simd.f32x4_abs, y);
  const isNegative = body.op(simd.i32x4_lt_s, x, zero);
  const isWhole = body.op(simd.f32x4_eq, body.op(simd.f32x4_floor, y), y); // true of ∞ too
  const one = body.whole(1);
  const lowest = body.op(simd.v128_and, body.op(simd.i32x4_trunc_sat_f32x4_s, absolute), one);
  const isOdd = body.op(
    simd.v128_and,
    body.op(simd.i32x4_eq, lowest, one),
    body.op(simd.v128_and, isWhole, body.op(simd.f32x4_lt, absolute, m.number(2 ** 24))),
  );
  const turn = body.op(simd.v128_and, body.op(simd.v128_and, isNegative, isOdd), body.whole(SIGN));
  const signed = body.op(simd.v128_xor, magnitude, turn);
  const isCut = body.op(simd.f32x4_lt, x, zero);
  const isDefined = body.op(
    simd.v128_or,
    isWhole,
    body.op(simd.v128_not, body.op(simd.v128_and, isCut, m.isFinite(x))),
  );
  const result = m.select(m.number(Number.NaN), signed, isDefined);
  const isNaN = body.op(simd.v128_or, m.isNaN(x), m.isNaN(y));
  const whole = m.select(result, m.number(Number.NaN), isNaN);
  return m.select(whole, m.number(1), body.op(simd.f32x4_eq, y, zero));
}

/** Two lanes in float64. */
class PowerHalf {
  constructor(readonly body: VectorBody) {}

  /** e^(y log x) of the lower two lanes, as floats, for x ≥ 0; NaN of 1 to the power of ∞. */
  power(x: Vector, y: Vector): Vector {
    const { body } = this;
    const exponent = body.op(simd.f64x2_promote_low_f32x4, y);
    const product = body.op(simd.f64x2_mul, exponent, this.#log(x));
    // Beyond that the result is 0 or ∞ as a float.
    const above = body.op(simd.f64x2_min, product, body.double(200));
    return body.op(
      simd.f32x4_demote_f64x2_zero,
      this.#exp(body.op(simd.f64x2_max, above, body.double(-200))),
    );
  }

  #polynomial(x: Vector, coefficients: readonly number[]): Vector {
    const { body } = this;
    const [first, ...rest] = coefficients.map((c) => body.double(c));
    return rest.reduce(
      (sum, c) => body.op(simd.f64x2_add, body.op(simd.f64x2_mul, sum, x), c),
      first,
    );
  }

  /** log x for the lower two floats from 0 on: −∞ of 0, ∞ of ∞. */
  #log(x: Vector): Vector {
    const { body } = this;
    const wide = body.op(simd.f64x2_promote_low_f32x4, x);
    // x / 2ᵉ lies in [√½, √2).
    const offset = body.words([0x99800000, 0x95f61, 0x99800000, 0x95f61]);
    const high = body.shift(simd.i64x2_shr_u, body.op(simd.i64x2_add, wide, offset), 52);
    const e = body.op(simd.i64x2_sub, high, body.words([1023, 0, 1023, 0]));
    const fraction = body.op(simd.i64x2_sub, wide, body.shift(simd.i64x2_shl, e, 52));
    const f = body.op(simd.f64x2_sub, fraction, body.double(1));
    const s = body.op(simd.f64x2_div, f, body.op(simd.f64x2_add, f, body.double(2)));
    const z = body.op(simd.f64x2_mul, s, s);
    const series = [17, 15, 13, 11, 9, 7, 5, 3, 1].map((n) => 2 / n);
    const near = body.op(simd.f64x2_mul, s, this.#polynomial(z, series));
    // The lower halves of e as two numbers of 32 bits side by side.
    const whole = body.op(simd.f64x2_convert_low_i32x4_s, body.shuffle(e, e, LOWER_WORDS));
    const log = body.op(
      simd.f64x2_add,
      near,
      body.op(simd.f64x2_mul, whole, body.double(Math.LN2)),
    );
    const isZero = body.op(simd.f64x2_eq, wide, body.double(0));
    const isInfinite = body.op(simd.f64x2_eq, wide, body.double(Number.POSITIVE_INFINITY));
    const other = body.op(simd.v128_bitselect, body.double(Number.NEGATIVE_INFINITY), log, isZero);
    return body.op(simd.v128_bitselect, wide, other, isInfinite);
  }

  #exp(x: Vector): Vector {
    const { body } = this;
    const n = body.op(simd.f64x2_nearest, body.op(simd.f64x2_mul, x, body.double(Math.LOG2E)));
    const rest = body.op(simd.f64x2_sub, x, body.op(simd.f64x2_mul, n, body.double(Math.LN2)));
    const factorials = [39916800, 3628800, 362880, 40320, 5040, 720, 120, 24, 6, 2, 1, 1];
    const near = this.#polynomial(
      rest,
      factorials.map((n) => 1 / n),
    );
    const whole = body.op(simd.i32x4_trunc_sat_f64x2_s_zero, n);
    const wide = body.shuffle(whole, whole, LOWER_TO_WORDS);
    const bits = body.shift(
      simd.i64x2_shl,
      body.op(simd.i64x2_add, wide, body.words([1023, 0, 1023, 0])),
      52,
    );
    return body.op(simd.f64x2_mul, near, bits);
  }
}

/** The lower words of two numbers of 64 bits, twice. */
const LOWER_WORDS = [0, 2, 0, 2];
/** The lower two words, each at the low end of 64 bits; what stands above is shifted out. */
const LOWER_TO_WORDS = [0, 0, 1, 1];
