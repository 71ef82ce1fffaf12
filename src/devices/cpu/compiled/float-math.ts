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
    const { rest, whole } = this.reduced(x);
    const y = this.add(this.expm1Near(rest), this.number(1));
    const [a, b] = this.powers(whole);
    return this.mul(this.mul(y, a), b);
  }

  log(x: Vector): Vector {
    const { exponent, rest } = this.partsOf(x);
    return this.logSpecial(this.logOf(exponent, rest), x);
  }

  sigmoid(x: Vector): Vector {
    const t = this.exp(this.body.op(simd.v128_or, x, this.body.whole(SIGN))); // e^(−|x|)
    const isPositive = this.body.op(simd.f32x4_ge, x, this.number(0));
    return this.div(this.select(t, this.number(1), isPositive), this.add(t, this.number(1)));
  }

  /** x = n ln 2 + rest with |rest| ≤ ln 2 / 2, for x cut to where eˣ is neither 0 nor infinite. */
  reduced(x: Vector): { rest: Vector; whole: Vector } {
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
  powers(n: Vector): [Vector, Vector] {
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
  expm1Near(r: Vector): Vector {
    const square = this.mul(r, r);
    const low = this.polynomial(r, EXP.slice(3));
    const high = this.multiplyAdd(this.number(EXP[0]), square, this.polynomial(r, EXP.slice(1, 3)));
    return this.multiplyAdd(this.multiplyAdd(high, square, low), square, r);
  }

  /** x = 2ᵉ (1 + f) with 1 + f in [√½, √2), for x > 0: e as a float, and f. */
  partsOf(x: Vector): { exponent: Vector; rest: Vector } {
    const { body } = this;
    const isSmall = body.op(simd.f32x4_lt, x, this.number(2 ** -126));
    const normal = this.select(x, this.mul(x, this.number(2 ** 24)), isSmall);
    const shift = body.op(simd.v128_and, isSmall, this.number(24));
    const exponent = this.exponent(normal);
    const rest = this.sub(this.fraction(normal, exponent), this.number(1));
    return { exponent: this.sub(body.op(simd.f32x4_convert_i32x4_s, exponent), shift), rest };
  }

  /** e such that x / 2ᵉ lies in [√½, √2), for a normal x > 0. */
  exponent(x: Vector): Vector {
    const { body } = this;
    const shifted = body.shift(
      simd.i32x4_shr_u,
      body.op(simd.i32x4_add, x, body.whole(0x004afb0d)),
      23,
    );
    return body.op(simd.i32x4_sub, shifted, body.whole(127));
  }

  fraction(x: Vector, exponent: Vector): Vector {
    return this.body.op(simd.i32x4_sub, x, this.body.shift(simd.i32x4_shl, exponent, 23));
  }

  /** e ln 2 + log(1 + f) with 1 + f in [√½, √2]: 2 atanh(s) with s = f / (2 + f), where 2s = f − s f. */
  logOf(e: Vector, f: Vector): Vector {
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

  /** y, but −∞ for x = 0, NaN below, ∞ and NaN for such. */
  logSpecial(y: Vector, x: Vector): Vector {
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
