import { type FloatValue, steps } from "../forms/float-value.ts";
import type { Tensor } from "../graph/tensor.ts";
import { BUILT_INS, EXP_LOG } from "../kernels/shaders.ts";
import { clip, mul, neg, square } from "./arithmetic.ts";
import { type UnaryFunction, unary } from "./elementwise.ts";
import { exp } from "./unary.ts";

const LIBRARIES = [...BUILT_INS, ...EXP_LOG];

/**
 * Computes the error function, 2/√π ∫₀ˣ e^(−t²) dt, within 3e-7 relative.
 * @example
 * await erf(tensor([0, 1, -1])).toArray(); // about [0, 0.843, -0.843]
 */
export const erf: UnaryFunction = unary({
  name: "erf",
  domain: "float",
  js: erfValue,
  formula: steps((x) => {
    const a = x.abs();
    const near = x.times(x.times(x).polynomial(ERF));
    const far = tail(a, 1).negative().plus(1);
    return a.below(1).choose(near, x.below(0).choose(far.negative(), far));
  }),
  libraries: LIBRARIES,
  cost: 50,
  // 2/√π e^(−x²)
  vjp: (g, _, x) => [mul(g, mul(bell(x, 1), 2 / Math.sqrt(Math.PI)))],
});

/**
 * Computes 1 − erf x, within 5e-7 relative though it be as small as 1e-38.
 * @example
 * await erfc(tensor([0, 1])).toArray(); // about [1, 0.157]
 */
export const erfc: UnaryFunction = unary({
  name: "erfc",
  domain: "float",
  js: complement,
  formula: steps((x) => {
    const y = tail(x.abs(), 1);
    return x.below(0).choose(y.negative().plus(2), y);
  }),
  libraries: LIBRARIES,
  cost: 40,
  vjp: (g, _, x) => [mul(g, mul(bell(x, 1), -2 / Math.sqrt(Math.PI)))],
});

/**
 * Computes Φ(x), the probability that a standard normal variable is at most x, within 5e-7 relative
 * though it be as small as 1e-38.
 * Formula: erfc(−x/√2) / 2.
 * @example
 * await normalCdf(tensor([0, 1, -1])).toArray(); // about [0.5, 0.841, 0.159]
 */
export const normalCdf: UnaryFunction = unary({
  name: "normalCdf",
  domain: "float",
  js: (x) => complement(-x / Math.SQRT2) / 2,
  formula: steps((x) => {
    const y = tail(x.abs(), 0.5).times(0.5);
    return x.above(0).choose(y.negative().plus(1), y);
  }),
  libraries: LIBRARIES,
  cost: 40,
  // The density, e^(−x²/2) / √2π
  vjp: (g, _, x) => [mul(g, mul(bell(x, 0.5), 1 / Math.sqrt(2 * Math.PI)))],
});

/**
 * Computes the number whose error function is x, within 5e-7 relative; ±∞ at ±1, NaN outside. The gradient
 * is infinite at ±1.
 * Formula: x P(w) with w = −log(1 − x²), a polynomial in w for w < 5 and in √w above. Source: Giles 2010,
 * "Approximating the erfinv function".
 * @example
 * await erfInv(tensor([0, 0.5])).toArray(); // about [0, 0.477]
 */
export const erfInv: UnaryFunction = unary({
  name: "erfInv",
  domain: "float",
  js: inverseValue,
  formula: steps((x) => {
    const a = x.abs();
    const w = a.negative().plus(1).times(a.plus(1)).call("g_log").negative();
    const near = w.minus(2.5).polynomial(INVERSE_NEAR);
    const far = w.call("g_sqrt").minus(3).polynomial(INVERSE_FAR);
    const factor = w.below(5).choose(near, far);
    return x.times(a.equals(1).choose(Number.POSITIVE_INFINITY, factor));
  }),
  libraries: LIBRARIES,
  cost: 50,
  // √π/2 e^(y²)
  vjp: (g, y) => [mul(g, mul(exp(square(y)), Math.sqrt(Math.PI) / 2))],
});

/** e^(−factor x²); beyond ±40 it is 0, and so are its slopes, where x² might be infinite. */
function bell(x: Tensor, factor: number): Tensor {
  return exp(neg(mul(square(clip(x, -40, 40)), factor)));
}

/**
 * erfc(√factor · a) for a ≥ 0 as e^(−factor a²) t P(t) with t = 1 / (1 + √factor a / 2); P's largest
 * relative error is least, 7e-9. The square is h² + (a − h)(a + h) with 12 bits of a as h, so that
 * e⁻ˣ gets all its digits.
 */
function tail<V>(size: FloatValue<V>, factor: number): FloatValue<V> {
  const a = size.call("min", 40); // where the tail is 0
  const t = a
    .times(Math.sqrt(factor) / 2)
    .plus(1)
    .inverse();
  const split = a.times(4097);
  const h = split.minus(split.minus(a));
  const high = h.times(h).times(-factor).call("g_exp");
  // At most 0.05 where `high` is not 0.
  const low = h.minus(a).times(h.plus(a)).times(factor).polynomial(EXP_NEAR_ZERO);
  return high.times(low).times(t.times(t.polynomial(TAIL)));
}

const EXP_NEAR_ZERO: readonly number[] = [1 / 24, 1 / 6, 1 / 2, 1, 1];

const ERF: readonly number[] = [
  7.854026372736422e-5, -0.000801024767373618, 0.005188334504005787, -0.02685381607132242,
  0.1128358527084861, -0.37612625839753694, 1.1283791657323474,
];

const TAIL: readonly number[] = [
  0.044482409343235205, -0.241311695790298, 0.5080749143557968, -0.4725308724864039,
  0.14529439826593288, -0.06539138936261726, 0.09528753578661554, 0.17499087099470312,
  0.24691677572433815, 0.2820922416082635, 0.2820948184735029,
];

const INVERSE_NEAR: readonly number[] = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503,
  -0.00417768164, 0.246640727, 1.50140941,
];

const INVERSE_FAR: readonly number[] = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
  0.00943887047, 1.00167406, 2.83297682,
];

// In float64.

/** erf⁻¹ x, from the polynomials on by the steps of Newton, near ±1 by those of Halley for erfc. */
function inverseValue(x: number): number {
  const a = Math.abs(x);
  if (!(a < 1) || a === 0) return a === 1 ? x * Number.POSITIVE_INFINITY : a === 0 ? x : Number.NaN;
  const w = -Math.log((1 - a) * (1 + a));
  const [z, factors] = w < 5 ? [w - 2.5, INVERSE_NEAR] : [Math.sqrt(w) - 3, INVERSE_FAR];
  let y = a * factors.reduce((sum, factor) => sum * z + factor, 0);
  for (let i = 0; i < 3; i++) {
    const slope = (2 / Math.sqrt(Math.PI)) * Math.exp(-y * y);
    if (a < 0.5) y -= (erfSeries(y) - a) / slope;
    else {
      const miss = complement(y) - (1 - a);
      y += miss / (slope - y * miss);
    }
  }
  return Math.sign(x) * y;
}

/** erf x */
export function erfValue(x: number): number {
  return Math.abs(x) < 1 ? erfSeries(x) : Math.sign(x) * (1 - erfcFraction(Math.abs(x)));
}

/** erfc x */
function complement(x: number): number {
  if (Math.abs(x) < 1) return 1 - erfSeries(x);
  return x < 0 ? 2 - erfcFraction(-x) : erfcFraction(x);
}

/** 2/√π e^(−x²) Σ 2ᵏ x²ᵏ⁺¹ / (1 · 3 · … · (2k + 1)), whose terms have one sign. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** e^(−x²)/√π · 1 / (x + ½ / (x + 1 / (x + 1½ / (x + …)))) for x ≥ 1, from the inside. */
function erfcFraction(x: number): number {
  let inner = x;
  for (let k = 200; k > 0; k--) inner = x + k / 2 / inner;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / inner;
}
