/*
 * Functions of four floats as sums and products of vectors, right to some 2e-7 relative everywhere,
 * for NaN, infinities, zeros of both signs and subnormal numbers too: docs/numerics.md has the errors.
 * Without a multiply-add, products are rounded before they are added.
 */

import * as simd from "./simd.ts";
import type { Vector, VectorBody } from "./vector-body.ts";

const SIGN = 0x80000000;
// ln 2 = LN2_HIGH + LN2_LOW; LN2_HIGH has 9 bits, so that its product with an exponent is exact.
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444005469057e-4;
/** 1.5 · 2²³: a sum with it is rounded to a whole number, which its lower bits hold. */
const ROUNDER = 12582912;

/** Functions of vectors of a body. */
export class FloatMath {
  constructor(readonly body: VectorBody) {}

  number(value: number): Vector {
    return this.body.whole(new Int32Array(Float32Array.of(value).buffer)[0]);
  }

  add(a: Vector, b: Vector): Vector {
    return this.body.op(simd.f32x4_add, a, b);
  }

  sub(a: Vector, b: Vector): Vector {
    return this.body.op(simd.f32x4_sub, a, b);
  }

  mul(a: Vector, b: Vector): Vector {
    return this.body.op(simd.f32x4_mul, a, b);
  }

  div(a: Vector, b: Vector): Vector {
    return this.body.op(simd.f32x4_div, a, b);
  }

  /** a · b + c */
  multiplyAdd(a: Vector, b: Vector, c: Vector): Vector {
    return this.body.isFused
      ? this.body.op(simd.f32x4_relaxed_madd, a, b, c)
      : this.add(this.mul(a, b), c);
  }

  select(no: Vector, yes: Vector, condition: Vector): Vector {
    const { body } = this;
    if (body.bitsOf(no) === 0) return body.op(simd.v128_and, yes, condition);
    if (body.bitsOf(yes) === 0) return body.op(simd.v128_andnot, no, condition);
    return body.op(simd.v128_bitselect, yes, no, condition);
  }

  /** Σ cᵢ xⁱ, with the coefficient of the highest power first. */
  polynomial(x: Vector, coefficients: readonly number[]): Vector {
    const [first, ...rest] = coefficients.map((c) => this.number(c));
    return rest.reduce((sum, c) => this.multiplyAdd(sum, x, c), first);
  }

  isNaN(x: Vector): Vector {
    return this.body.op(simd.f32x4_ne, x, x);
  }

  isFinite(x: Vector): Vector {
    const { body } = this;
    return body.op(
      simd.f32x4_lt,
      body.op(simd.f32x4_abs, x),
      this.number(Number.POSITIVE_INFINITY),
    );
  }

  /** y with the sign of x too, of which one is right where the other is +0. */
  withSignOf(y: Vector, x: Vector): Vector {
    const { body } = this;
    return body.op(simd.v128_or, y, body.op(simd.v128_and, x, body.whole(SIGN)));
  }

  sign(x: Vector): Vector {
    const one = this.withSignOf(this.number(1), x);
    const isOrdinary = this.body.op(simd.f32x4_gt, this.body.op(simd.f32x4_abs, x), this.number(0));
    return this.select(x, one, isOrdinary);
  }

  exp(x: Vector): Vector {
    const { rest, whole } = this.#reduced(x);
    const y = this.add(this.#expm1Near(rest), this.number(1));
    const [a, b] = this.#powers(whole);
    return this.mul(this.mul(y, a), b);
  }

  expm1(x: Vector): Vector {
    const { rest, whole } = this.#reduced(x);
    const p = this.#expm1Near(rest);
    const [a, b] = this.#powers(whole);
    // 2ⁿ (1 + p) − 1 = 2ⁿ p + (2ⁿ − 1); a large 2ⁿ alone might be infinite.
    const scale = this.mul(a, b);
    const near = this.multiplyAdd(scale, p, this.sub(scale, this.number(1)));
    const far = this.mul(this.mul(this.add(p, this.number(1)), a), b);
    const isFar = this.body.op(simd.f32x4_gt, x, this.number(40));
    return this.withSignOf(this.select(near, far, isFar), x);
  }

  /** 2ⁿ e^((x − n) ln 2), which is exact for whole numbers. */
  exp2(x: Vector): Vector {
    const { body } = this;
    const above = body.op(simd.f32x4_pmin, x, this.number(130)); // x where that is NaN
    const cut = body.op(simd.f32x4_pmax, above, this.number(-152));
    const n = body.op(simd.f32x4_nearest, cut);
    const rest = this.mul(this.sub(cut, n), this.number(Math.LN2));
    const y = this.add(this.#expm1Near(rest), this.number(1));
    const [a, b] = this.#powers(body.op(simd.i32x4_trunc_sat_f32x4_s, n));
    return this.mul(this.mul(y, a), b);
  }

  log(x: Vector): Vector {
    const { exponent, rest } = this.#partsOf(x);
    return this.#logSpecial(this.#logOf(exponent, rest), x);
  }

  /** e + log(1 + f) / ln 2, which is whole for powers of two. */
  log2(x: Vector): Vector {
    const { exponent, rest } = this.#partsOf(x);
    const near = this.#logOf(this.number(0), rest);
    return this.#logSpecial(this.multiplyAdd(near, this.number(Math.LOG2E), exponent), x);
  }

  log1p(x: Vector): Vector {
    const y = this.#logSpecial(this.#log1pOf(x), this.add(x, this.number(1)));
    return this.withSignOf(y, x);
  }

  sigmoid(x: Vector): Vector {
    const t = this.exp(this.body.op(simd.v128_or, x, this.body.whole(SIGN))); // e^(−|x|)
    const isPositive = this.body.op(simd.f32x4_ge, x, this.number(0));
    return this.div(this.select(t, this.number(1), isPositive), this.add(t, this.number(1)));
  }

  /** tanh|x| = −t / (2 + t) with t = e^(−2|x|) − 1, which neither overflows nor cancels. */
  tanh(x: Vector): Vector {
    const { body } = this;
    const minus = body.op(simd.v128_or, x, body.whole(SIGN));
    const { rest, whole } = this.#reduced(this.add(minus, minus));
    const p = this.#expm1Near(rest);
    const [a, b] = this.#powers(whole);
    const scale = this.mul(a, b);
    const t = this.multiplyAdd(scale, p, this.sub(scale, this.number(1)));
    const y = this.div(t, this.add(t, this.number(2)));
    return this.withSignOf(body.op(simd.f32x4_abs, y), x);
  }

  /** log(1 + eˣ) = max(x, 0) + log1p(e^(−|x|)) */
  softplus(x: Vector): Vector {
    const t = this.exp(this.body.op(simd.v128_or, x, this.body.whole(SIGN)));
    const above = this.body.op(simd.f32x4_pmax, this.number(0), x); // 0 for NaN, which t has too
    return this.add(above, this.#log1pOf(t));
  }

  sin(x: Vector): Vector {
    const isZero = this.body.op(simd.f32x4_eq, x, this.number(0));
    return this.select(this.#quarterTurns(x, 0), x, isZero); // −0 for −0
  }

  cos(x: Vector): Vector {
    return this.#quarterTurns(x, 1);
  }

  /** sin(x + quarters · π/2) of |x| up to π/4, for a vector of quarters. */
  sinShifted(x: Vector, quarters: Vector): Vector {
    const { body } = this;
    const z = this.mul(x, x);
    const s = this.polynomial(z, [1 / 362880, -1 / 5040, 1 / 120, -1 / 6]);
    const sine = this.multiplyAdd(this.mul(s, z), x, x);
    const c = this.polynomial(z, [-1 / 3628800, 1 / 40320, -1 / 720, 1 / 24, -0.5]);
    const cosine = this.multiplyAdd(c, z, this.number(1));
    const one = body.whole(1);
    const isOdd = body.op(simd.i32x4_eq, body.op(simd.v128_and, quarters, one), one);
    const turned = body.shift(simd.i32x4_shl, quarters, 30);
    const flip = body.op(simd.v128_and, turned, body.whole(SIGN));
    return body.op(simd.v128_xor, this.select(sine, cosine, isOdd), flip);
  }

  /** sin(x + quarters · π/2): the nearest multiple n of π/2 is taken off in float64. */
  #quarterTurns(x: Vector, quarters: number): Vector {
    const { body } = this;
    const parts = [x, body.upper(x)].map((half) => {
      const wide = body.op(simd.f64x2_promote_low_f32x4, half);
      const clamped = body.op(
        simd.f64x2_max,
        body.op(simd.f64x2_min, wide, body.double(3e9)),
        body.double(-3e9),
      );
      const n = body.op(
        simd.f64x2_nearest,
        body.op(simd.f64x2_mul, clamped, body.double(2 / Math.PI)),
      );
      // π/2 in three parts; the first two have 22 bits, so that their products with n are exact.
      const rest = HALF_PI.reduce(
        (r, part) => body.op(simd.f64x2_sub, r, body.op(simd.f64x2_mul, n, body.double(part))),
        clamped,
      );
      return [
        body.op(simd.f32x4_demote_f64x2_zero, rest),
        body.op(simd.i32x4_trunc_sat_f64x2_s_zero, n),
      ];
    });
    const [[low, lowTurns], [high, highTurns]] = parts;
    const turns = body.op(simd.i32x4_add, body.halves(lowTurns, highTurns), body.whole(quarters));
    const y = this.sinShifted(body.halves(low, high), turns);
    // NaN of NaN and of infinities.
    return this.add(y, this.mul(x, this.number(0)));
  }

  /** x = n ln 2 + rest with |rest| ≤ ln 2 / 2, for x cut to where eˣ is neither 0 nor infinite. */
  #reduced(x: Vector): { rest: Vector; whole: Vector } {
    const { body } = this;
    const above = body.op(simd.f32x4_pmin, x, this.number(90)); // x where that is NaN
    const cut = body.op(simd.f32x4_pmax, above, this.number(-106));
    const rounded = this.multiplyAdd(cut, this.number(Math.LOG2E), this.number(ROUNDER));
    const n = this.sub(rounded, this.number(ROUNDER));
    const far = this.multiplyAdd(n, this.number(-LN2_HIGH), cut);
    const rest = this.multiplyAdd(n, this.number(-LN2_LOW), far);
    const whole = body.op(simd.i32x4_sub, rounded, this.number(ROUNDER));
    return { rest, whole };
  }

  /** 2ⁿ in two factors, for n reaches 130 and −153. */
  #powers(n: Vector): [Vector, Vector] {
    const { body } = this;
    const half = body.shift(simd.i32x4_shr_s, n, 1);
    const power = (exponent: Vector) =>
      body.shift(simd.i32x4_shl, body.op(simd.i32x4_add, exponent, body.whole(127)), 23);
    return [power(half), power(body.op(simd.i32x4_sub, n, half))];
  }

  /**
   * eʳ − 1 for |r| ≤ ln 2 / 2: r + r² · (c₀ + c₁ r + …), cᵢ near 1 / (i + 2)!, such that the largest
   * error relative to eʳ is least, 3e-9. Halves of the sum wait for nothing but r².
   */
  #expm1Near(r: Vector): Vector {
    const square = this.mul(r, r);
    const low = this.polynomial(r, EXP.slice(3));
    const high = this.multiplyAdd(this.number(EXP[0]), square, this.polynomial(r, EXP.slice(1, 3)));
    return this.multiplyAdd(this.multiplyAdd(high, square, low), square, r);
  }

  /** x = 2ᵉ (1 + f) with 1 + f in [√½, √2), for x > 0: e as a float, and f. */
  #partsOf(x: Vector): { exponent: Vector; rest: Vector } {
    const { body } = this;
    const isSmall = body.op(simd.f32x4_lt, x, this.number(2 ** -126));
    const normal = this.select(x, this.mul(x, this.number(2 ** 24)), isSmall);
    const shift = body.op(simd.v128_and, isSmall, this.number(24));
    const exponent = this.#exponent(normal);
    const rest = this.sub(this.#fraction(normal, exponent), this.number(1));
    return { exponent: this.sub(body.op(simd.f32x4_convert_i32x4_s, exponent), shift), rest };
  }

  /** e such that x / 2ᵉ lies in [√½, √2), for a normal x > 0. */
  #exponent(x: Vector): Vector {
    const { body } = this;
    const shifted = body.shift(
      simd.i32x4_shr_u,
      body.op(simd.i32x4_add, x, body.whole(0x004afb0d)),
      23,
    );
    return body.op(simd.i32x4_sub, shifted, body.whole(127));
  }

  #fraction(x: Vector, exponent: Vector): Vector {
    return this.body.op(simd.i32x4_sub, x, this.body.shift(simd.i32x4_shl, exponent, 23));
  }

  /** e ln 2 + log(1 + f) with 1 + f in [√½, √2]: 2 atanh(s) with s = f / (2 + f), where 2s = f − s f. */
  #logOf(e: Vector, f: Vector): Vector {
    const s = this.div(f, this.add(f, this.number(2)));
    const z = this.mul(s, s);
    const tail = this.polynomial(z, [2 / 11, 2 / 9, 2 / 7, 2 / 5, 2 / 3]);
    // log(1 + f) = f − s (f − z · tail)
    const inner = this.sub(f, this.mul(z, tail));
    const low = this.multiplyAdd(
      e,
      this.number(LN2_LOW),
      this.body.op(simd.f32x4_neg, this.mul(s, inner)),
    );
    return this.multiplyAdd(e, this.number(LN2_HIGH), this.add(low, f));
  }

  /** log(1 + x) where that is an ordinary number or x is NaN. */
  #log1pOf(x: Vector): Vector {
    const { body } = this;
    const one = this.number(1);
    const u = this.add(x, one);
    // What u = 1 + x has lost, scaled as u's fraction is; nothing where the exponent is the largest.
    const lost = this.sub(x, this.sub(u, one));
    const exponent = this.#exponent(u);
    const inverse = body.op(simd.i32x4_sub, body.whole(127), exponent);
    const scale = body.shift(simd.i32x4_shl, body.op(simd.i32x4_max_s, inverse, body.whole(0)), 23);
    const fraction = this.sub(this.#fraction(u, exponent), one);
    const f = this.multiplyAdd(lost, scale, fraction);
    return this.#logOf(body.op(simd.f32x4_convert_i32x4_s, exponent), f);
  }

  /** y, but −∞ for x = 0, NaN below, ∞ and NaN for such. */
  #logSpecial(y: Vector, x: Vector): Vector {
    const { body } = this;
    const isOrdinary = body.op(
      simd.v128_and,
      body.op(simd.f32x4_gt, x, this.number(0)),
      body.op(simd.f32x4_lt, x, this.number(Number.POSITIVE_INFINITY)),
    );
    const infinity = this.number(Number.POSITIVE_INFINITY);
    // ∞ − ∞ is NaN: of x below 0 and of NaN.
    const isZero = body.op(simd.f32x4_eq, x, this.number(0));
    const isInfinite = body.op(simd.f32x4_eq, x, infinity);
    const special = this.select(this.number(Number.NaN), infinity, isInfinite);
    const other = this.select(special, this.number(Number.NEGATIVE_INFINITY), isZero);
    return this.select(other, y, isOrdinary);
  }
}

const EXP: readonly number[] = [
  0.001381454010558874, 0.008368745195640747, 0.04166839079137011, 0.16666520398318338,
  0.4999999343207687,
];

/** π/2 = Σ parts. */
const HALF_PI = /* @__PURE__ */ halfPi();

function halfPi(): number[] {
  const cut = (x: number, bits: number) => Math.round(x * 2 ** bits) / 2 ** bits;
  const first = cut(Math.PI / 2, 21);
  const second = cut(Math.PI / 2 - first, 43);
  // π/2 − Math.PI / 2 = 6.123233995736766e-17
  return [first, second, Math.PI / 2 - first - second + 6.123233995736766e-17];
}
