import { FloatMath } from "./float-math.ts";
import * as simd from "./simd.ts";
import type { Vector } from "./vector-body.ts";

const SIGN = 0x80000000;

/** Functions of floats that fewer apps have, made as those of `FloatMath` are. */
export class MoreMath extends FloatMath {
  expm1(x: Vector): Vector {
    const { rest, whole } = this.reduced(x);
    const p = this.expm1Near(rest);
    const [a, b] = this.powers(whole);
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
    const y = this.add(this.expm1Near(rest), this.number(1));
    const [a, b] = this.powers(body.op(simd.i32x4_trunc_sat_f32x4_s, n));
    return this.mul(this.mul(y, a), b);
  }

  /** e + log(1 + f) / ln 2, which is whole for powers of two. */
  log2(x: Vector): Vector {
    const { exponent, rest } = this.partsOf(x);
    const near = this.logOf(this.number(0), rest);
    return this.logSpecial(this.multiplyAdd(near, this.number(Math.LOG2E), exponent), x);
  }

  log1p(x: Vector): Vector {
    const y = this.logSpecial(this.#log1pOf(x), this.add(x, this.number(1)));
    return this.withSignOf(y, x);
  }

  /** tanh|x| = −t / (2 + t) with t = e^(−2|x|) − 1, which neither overflows nor cancels. */
  tanh(x: Vector): Vector {
    const { body } = this;
    const minus = body.op(simd.v128_or, x, body.whole(SIGN));
    const { rest, whole } = this.reduced(this.add(minus, minus));
    const p = this.expm1Near(rest);
    const [a, b] = this.powers(whole);
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

  /** log(1 + x) where that is an ordinary number or x is NaN. */
  #log1pOf(x: Vector): Vector {
    const { body } = this;
    const one = this.number(1);
    const u = this.add(x, one);
    // What u = 1 + x has lost, scaled as u's fraction is; nothing where the exponent is the largest.
    const lost = this.sub(x, this.sub(u, one));
    const exponent = this.exponent(u);
    const inverse = body.op(simd.i32x4_sub, body.whole(127), exponent);
    const scale = body.shift(simd.i32x4_shl, body.op(simd.i32x4_max_s, inverse, body.whole(0)), 23);
    const fraction = this.sub(this.fraction(u, exponent), one);
    const f = this.multiplyAdd(lost, scale, fraction);
    return this.logOf(body.op(simd.f32x4_convert_i32x4_s, exponent), f);
  }
}

/** π/2 = Σ parts. */
const HALF_PI = /* @__PURE__ */ halfPi();

function halfPi(): number[] {
  const cut = (x: number, bits: number) => Math.round(x * 2 ** bits) / 2 ** bits;
  const first = cut(Math.PI / 2, 21);
  const second = cut(Math.PI / 2 - first, 43);
  // π/2 − Math.PI / 2 = 6.123233995736766e-17
  return [first, second, Math.PI / 2 - first - second + 6.123233995736766e-17];
}
