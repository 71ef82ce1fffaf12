import { type FloatValue, steps } from "../forms/float-value.ts";
import { customGrad } from "../graph/custom-grad.ts";
import type { Tensor } from "../graph/tensor.ts";
import { BUILT_INS, NEAR_ZERO } from "../kernels/shaders.ts";
import { add, div, mul, neg, reciprocal, square, sub } from "./arithmetic.ts";
import { type UnaryFunction, unary } from "./elementwise.ts";
import { hypot, rsqrt } from "./root.ts";

const LIBRARIES = [...BUILT_INS, ...NEAR_ZERO];

/** Computes the hyperbolic sine, (eˣ − e⁻ˣ) / 2; infinite beyond ±89.4. */
export const sinh: UnaryFunction = unary({
  name: "sinh",
  domain: "float",
  js: Math.sinh,
  // e^|x| = (1 + t)² with t = e^(|x| / 2) − 1, so sinh |x| = t (t + 2) / 2 · (1 + (1 + t)⁻²), which
  // neither cancels nor overflows before its time.
  formula: steps((x) =>
    oddly(x, (a) => {
      const t = a.times(0.5).call("g_expm1");
      const u = t.plus(1);
      const rest = u.inverse();
      return t.times(0.5).times(t.plus(2)).times(rest.times(rest).plus(1));
    }),
  ),
  libraries: LIBRARIES,
  cost: 18,
  vjp: (g, _, x) => [mul(g, cosh(x))],
});

/** Computes the hyperbolic cosine, (eˣ + e⁻ˣ) / 2; infinite beyond ±89.4. */
export const cosh: UnaryFunction = unary({
  name: "cosh",
  domain: "float",
  js: Math.cosh,
  // With u = e^(|x| / 2), whose square would overflow before its half: u/2 · u + (1/u)² / 2.
  formula: steps((x) => {
    const u = x.abs().times(0.5).call("g_exp");
    const half = u.times(0.5);
    const rest = u.inverse();
    return half.times(u).plus(rest.times(rest).times(0.5));
  }),
  libraries: LIBRARIES,
  cost: 16,
  vjp: (g, _, x) => [mul(g, sinh(x))],
});

/** Computes the number whose hyperbolic sine is x, log(x + √(x² + 1)). */
export const asinh: UnaryFunction = unary({
  name: "asinh",
  domain: "float",
  js: Math.asinh,
  // log1p(a + a² / (1 + √(a² + 1))) with a = |x|; log a + log 2 where a² could overflow.
  formula: steps((x) =>
    oddly(x, (a) => {
      const square = a.times(a);
      const root = square.plus(1).call("g_sqrt").plus(1);
      return largeOr(a, a.plus(square.over(root)).call("g_log1p"));
    }),
  ),
  libraries: LIBRARIES,
  cost: 30,
  vjp: (g, _, x) => [div(g, hypot(x, 1))],
});

/**
 * Computes the number from 0 whose hyperbolic cosine is x, log(x + √(x² − 1)); NaN below 1. The
 * gradient at 1 is infinite.
 */
export const acosh: UnaryFunction = unary({
  name: "acosh",
  domain: "float",
  js: Math.acosh,
  // log1p(t + √(t (t + 2))) with t = x − 1; √ of what lies below 0 is NaN.
  formula: steps((x) => {
    const t = x.minus(1);
    const y = t.plus(t.times(t.plus(2)).call("g_sqrt")).call("g_log1p");
    return x.below(1).choose(Number.NaN, largeOr(x, y));
  }),
  libraries: LIBRARIES,
  cost: 30,
  vjp: (g, _, x) => [mul(g, acoshSlope(x))],
});

/**
 * Computes the number whose hyperbolic tangent is x, log((1 + x) / (1 − x)) / 2; ±∞ at ±1 and NaN
 * outside.
 */
export const atanh: UnaryFunction = unary({
  name: "atanh",
  domain: "float",
  js: Math.atanh,
  // log1p(2a / (1 − a)) / 2 with a = |x|
  formula: steps((x) =>
    oddly(x, (a) => {
      const ratio = a.plus(a).over(a.negative().plus(1));
      return ratio.call("g_log1p").times(0.5);
    }),
  ),
  libraries: LIBRARIES,
  cost: 18,
  vjp: (g, _, x) => [mul(g, atanhSlope(x))],
});

// By factors that keep their digits near ±1, of which one is 0 there: so they have rules of their own.

/** s = 1 / √(x² − 1), s′ = −x s³ */
function acoshSlope(x: Tensor): Tensor {
  const slope = customGrad(
    (v: Tensor) => mul(rsqrt(sub(v, 1)), rsqrt(add(v, 1))),
    (g, s, v) => [neg(mul(g, mul(v, mul(s, square(s)))))],
  );
  return slope(x);
}

/** s = 1 / (1 − x²), s′ = 2x s² */
function atanhSlope(x: Tensor): Tensor {
  const slope = customGrad(
    (v: Tensor) => reciprocal(mul(sub(1, v), add(v, 1))),
    (g, s, v) => [mul(g, mul(mul(v, 2), square(s)))],
  );
  return slope(x);
}

/** An odd function of x from that of |x|; near 0, where it differs from x by x³/3 at most, x. */
function oddly<V>(x: FloatValue<V>, f: (a: FloatValue<V>) => FloatValue<V>): FloatValue<V> {
  const a = x.abs();
  const y = f(a);
  return a.below(2 ** -13).choose(x, x.below(0).choose(y.negative(), y));
}

/** log 2x for large x, else y. */
function largeOr<V>(x: FloatValue<V>, y: FloatValue<V>): FloatValue<V> {
  return x.above(2 ** 30).choose(x.call("g_log").plus(Math.LN2), y);
}
