import { type FloatValue, steps } from "../forms/float-value.ts";
import { customGrad } from "../graph/custom-grad.ts";
import type { Tensor } from "../graph/tensor.ts";
import { BUILT_INS, FLOAT_BITS, TRIG } from "../kernels/shaders.ts";
import { add, div, mul, neg, square, sub } from "./arithmetic.ts";
import { equal } from "./compare.ts";
import { type BinaryFunction, binary, type UnaryFunction, unary } from "./elementwise.ts";
import { hypot, rsqrt } from "./root.ts";
import { where } from "./where.ts";

/** Computes the tangent of x, in radians, as sin x / cos x; NaN of infinities. */
export const tan: UnaryFunction = unary({
  name: "tan",
  domain: "float",
  js: Math.tan,
  formula: (m, x) => m.call("/", m.call("g_sin", x), m.call("g_cos", x)),
  libraries: TRIG,
  cost: 22,
  // d tan = 1 + tan²
  vjp: (g, y) => [mul(g, add(square(y), 1))],
});

/**
 * Computes the angle in [−π/2, π/2] whose sine is x; NaN outside [−1, 1]. The gradient at ±1 is
 * infinite.
 * @example
 * await asin(tensor([0, 1, 2])).toArray(); // about [0, 1.571, NaN]
 */
export const asin: UnaryFunction = unary({
  name: "asin",
  domain: "float",
  js: Math.asin,
  formula: steps((x) => {
    const { isFar, angle } = arcsine(x);
    const far = angle.times(-2).plus(Math.PI / 2);
    return isFar.choose(x.below(0).choose(far.negative(), far), angle);
  }),
  libraries: BUILT_INS,
  cost: 20,
  vjp: (g, _, x) => [mul(g, arcsineSlope(x))],
});

/**
 * Computes the angle in [0, π] whose cosine is x; NaN outside [−1, 1]. The gradient at ±1 is
 * infinite.
 */
export const acos: UnaryFunction = unary({
  name: "acos",
  domain: "float",
  js: Math.acos,
  formula: steps((x) => {
    const { isFar, angle } = arcsine(x);
    const twice = angle.plus(angle);
    const far = x.below(0).choose(twice.negative().plus(Math.PI), twice);
    return isFar.choose(far, angle.negative().plus(Math.PI / 2));
  }),
  libraries: BUILT_INS,
  cost: 20,
  vjp: (g, _, x) => [neg(mul(g, arcsineSlope(x)))],
});

/** s = 1 / √(1 − x²), by factors that keep their digits near ±1; s′ = x s³, where these have none. */
function arcsineSlope(x: Tensor): Tensor {
  const slope = customGrad(
    (v: Tensor) => rsqrt(mul(sub(1, v), add(v, 1))),
    (g, s, v) => [mul(g, mul(v, mul(s, square(s))))],
  );
  return slope(x);
}

/**
 * asin s for s = x where |x| ≤ ½, else for s = √((1 − |x|) / 2), of which twice the angle is
 * π/2 − asin |x|. The polynomial's largest error relative to asin is least, 5e-9.
 */
function arcsine<V>(x: FloatValue<V>) {
  const a = x.abs();
  const isFar = a.above(0.5);
  const z = isFar.choose(a.negative().plus(1).times(0.5), a.times(a));
  const s = isFar.choose(z.call("g_sqrt"), x);
  return { isFar, angle: z.polynomial(ASIN).times(z).call("fma", s, s) };
}

/**
 * Computes the angle in [−π/2, π/2] whose tangent is x.
 * Formula: atan x = ±π/2 − atan(1/x) where |x| > 1.
 */
export const atan: UnaryFunction = unary({
  name: "atan",
  domain: "float",
  js: Math.atan,
  formula: steps((x) => {
    const isFar = x.abs().above(1);
    const near = arctangent(isFar.choose(x.inverse(), x));
    const quarter = x.above(0).choose(Math.PI / 2, -Math.PI / 2);
    return isFar.choose(quarter.minus(near), near);
  }),
  libraries: BUILT_INS,
  cost: 20,
  vjp: (g, _, x) => [div(g, add(square(x), 1))],
});

/**
 * Computes the angle in [−π, π] of the point (x, y), from the axis on which x grows, as `Math.atan2`
 * does for zeros and infinities of both signs. The gradient at (0, 0) is 0.
 * @example
 * await atan2(tensor([0, 3]), tensor([2, 0])).toArray(); // about [0, 1.571]
 */
export const atan2: BinaryFunction = binary({
  name: "atan2",
  domain: "float",
  js: Math.atan2,
  formula: steps((y, x) => {
    const [height, width] = [y.abs(), x.abs()];
    const isSteep = height.above(width);
    const low = isSteep.choose(width, height);
    const high = isSteep.choose(height, width);
    // Where both are equal the angle is that of 1, of infinities too, or of (0, 0), which is 0.
    const diagonal = high.equals(0).choose(0, 1);
    const first = arctangent(low.equals(high).choose(diagonal, low.over(high)));
    const upper = isSteep.choose(first.negative().plus(Math.PI / 2), first);
    const angle = x.hasMinus().choose(upper.negative().plus(Math.PI), upper);
    return angle.call("g_copysign", y);
  }),
  libraries: [...BUILT_INS, ...FLOAT_BITS],
  cost: 26,
  // dy = x / (x² + y²), dx = −y / (x² + y²), by quotients that do not overflow.
  vjp: (g, _, y, x) => {
    const radius = hypot(x, y);
    const safe = where(equal(radius, 0), 1, radius);
    const rate = div(g, safe);
    return [mul(rate, div(x, safe)), neg(mul(rate, div(y, safe)))];
  },
});

/** atan z for |z| ≤ 1; the polynomial's largest relative error is least, 3e-9. */
function arctangent<V>(z: FloatValue<V>): FloatValue<V> {
  return z.times(z.times(z).polynomial(ATAN));
}

const ASIN: readonly number[] = [
  0.042166164929072276, 0.02417960403496435, 0.04547035664717117, 0.07495297809435172,
  0.16666752477469624,
];

const ATAN: readonly number[] = [
  -0.0017540639655983898, 0.010727581180532091, -0.03080587459102625, 0.057553502967742996,
  -0.08377406759746044, 0.10942066633083763, -0.1426194142505088, 0.19998267082939522,
  -0.33333283700825794, 0.9999999976404116,
];
