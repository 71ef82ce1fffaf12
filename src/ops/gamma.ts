import { checkCounts } from "../core/check.ts";
import { type FloatValue, floatsOf, steps } from "../forms/float-value.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkArguments, type Tensor } from "../graph/tensor.ts";
import { BUILT_INS, EXP_LOG, TRIG } from "../kernels/shaders.ts";
import { mul } from "./arithmetic.ts";
import { checkDomain } from "./domain.ts";
import { type UnaryFunction, unary } from "./elementwise.ts";
import {
  cotangentSlope,
  digammaValue,
  eulerTail,
  lgammaValue,
  polygammaValue,
} from "./gamma-values.ts";

const LIBRARIES = [...BUILT_INS, ...EXP_LOG, ...TRIG];

/**
 * Computes log|Γ(x)|, within 1e-6 relative, or absolute where x < 0; ∞ at 0 and at whole numbers
 * below.
 * Formula: x log x − x … with Stirling's series from 3 on, a polynomial below, and for x < 0
 * |Γ(x) Γ(1 − x)| = π / |sin πx|.
 * @example
 * await lgamma(tensor([1, 5, -1])).toArray(); // about [0, 3.178, Infinity]
 */
export const lgamma: UnaryFunction = unary({
  name: "lgamma",
  domain: "float",
  js: lgammaValue,
  formula: steps((x) => {
    const a = x.abs();
    const log = a.call("g_log");
    const isLow = a.below(1.5);
    // log Γ(2 + u), and log Γ(1 + u) = log Γ(2 + u) − log(1 + u).
    const u = a.minus(isLow.choose(1, 2));
    const near = u.times(u.polynomial(LGAMMA)).minus(isLow.choose(log, 0));
    const r = a.inverse();
    const series = r
      .times(r)
      .polynomial(STIRLING)
      .call("fma", r, HALF_LOG_TAU - 0.5);
    const far = a.minus(0.5).call("fma", log.minus(1), series);
    const y = a.below(3).choose(near, far);
    // log |Γ(−a)| = −log(sin(πa) / π) − log a − log Γ(a)
    const { sine, isWhole } = fractionOf(a);
    const between = sine
      .times(1 / Math.PI)
      .call("g_log")
      .plus(log)
      .plus(y)
      .negative();
    const below = isWhole.choose(Number.POSITIVE_INFINITY, between);
    return x.call("g_is_finite").choose(x.below(0).choose(below, y), a);
  }),
  libraries: LIBRARIES,
  cost: 70,
  vjp: (g, _, x) => [mul(g, digamma(x))],
});

/**
 * Computes ψ(x) = Γ′(x) / Γ(x), the slope of `lgamma`, within 1e-6 relative, or absolute where x < 0;
 * −∞ at 0, ∞ at −0 and NaN at whole numbers below.
 * Formula: ψ(x) = ψ(x + 1) − 1/x, and ψ(x) = ψ(1 − x) − π cot πx.
 * @example
 * await digamma(tensor([1, -1])).toArray(); // about [-0.577, NaN]
 */
export const digamma: UnaryFunction = unary({
  name: "digamma",
  domain: "float",
  js: digammaValue,
  formula: steps((x) => {
    const isBelow = x.below(0);
    const v = isBelow.choose(x.negative().plus(1), x);
    const isLow = v.below(1);
    const isMiddle = v.above(2);
    // The polynomial's interval is [1, 2].
    const w = v.plus(isLow.choose(1, isMiddle.choose(-1, 0)));
    const r = isLow.choose(v, v.minus(1)).inverse();
    const step = isLow.choose(r.negative(), isMiddle.choose(r, 0));
    // (w − root) with all digits
    const distance = w.minus(ROOT).minus(ROOT_REST);
    const near = distance.call("fma", w.minus(1.5).polynomial(DIGAMMA), step);
    const q = v.inverse();
    const t = q.times(q);
    const rest = t.polynomial(DIGAMMA_FAR).call("fma", t, q.times(0.5));
    const isNear = v.below(3);
    const most = isNear.choose(near, v.call("g_log"));
    // Where the cotangent is nearly as large, their difference is exact.
    const both = most.minus(isBelow.choose(slopeOfSine(x), 0));
    return both.minus(isNear.choose(0, rest));
  }),
  libraries: LIBRARIES,
  cost: 70,
  vjp: (g, _, x) => [mul(g, polygamma(x, 1))],
});

interface Order extends Record<string, unknown> {
  readonly order: number;
}

const polygammaOp: OpDefinition<Order> = defineOp<Order>({
  name: "polygamma",
  scalar: (_, { order }) => polygammaValue(order),
  cost: 100,
  linear: true,
  form: {
    kind: "pointwise",
    libraries: LIBRARIES,
    element: (context) => {
      const [x] = floatsOf(context);
      return polygammaFormula(x, context.attributes.order).value;
    },
  },
  vjp: (g, { inputs: [x], attributes: { order } }) => [mul(g, polygamma(x, order + 1))],
});

/**
 * Computes the derivative of an order of `digamma`; `polygamma(x, 1)` is the trigamma function.
 * Below 0 it is NaN or ∞ at whole numbers, for even and for odd orders.
 * Formula: (−1)ⁿ⁺¹ n! Σ 1 / (x + k)ⁿ⁺¹ over k from 0, by the sum of Euler and Maclaurin, and for x < 0
 * by the derivatives of π cot πx.
 * @param order an integer from 0; 0 is `digamma` itself.
 * @throws GradusError for another order, DTypeError unless x holds floats.
 * @example
 * await polygamma(tensor([1]), 1).toArray(); // about [1.645]
 */
export function polygamma(x: Tensor, order: number, ...surplus: never[]): Tensor {
  checkArguments("polygamma(x, order)", [x], surplus);
  checkDomain("polygamma", x.dtype, "float");
  checkCounts("polygamma", { order });
  return order === 0 ? digamma(x) : apply(polygammaOp, [x], { order });
}

function polygammaFormula<V>(x: FloatValue<V>, n: number): FloatValue<V> {
  const isBelow = x.below(0);
  const v = isBelow.choose(x.negative().plus(1), x);
  const terms = 6 + Math.ceil(n / 2);
  // n! / (v + k)ⁿ⁺¹ as a power, which is neither too large nor too small on the way.
  const scale = Math.exp(lgammaValue(n + 1) / (n + 1));
  const term = (k: number) =>
    (k === 0 ? v : v.plus(k))
      .inverse()
      .times(scale)
      .power(n + 1);
  const [first, ...rest] = Array.from({ length: terms }, (_, k) => term(k));
  const sum = rest.reduce((a, b) => a.plus(b), first);
  // (n − 1)! qⁿ (1 + n q / 2 + Σ Bⱼ n (n + 1) … (n + j − 1) / j! qʲ) with q = 1 / (v + terms)
  const q = v.plus(terms).inverse();
  const power = q.times(Math.exp(lgammaValue(n) / n)).power(n);
  const t = q.times(q);
  const tail = t.polynomial(eulerTail(n, 4)).call("fma", t, q.call("fma", n / 2, 1));
  const zeta = power.call("fma", tail, sum);
  const above = n % 2 === 0 ? zeta.negative() : zeta;
  // ψₙ(x) = −πⁿ⁺¹ Pₙ(cot πx) − n! Σ 1 / (1 − x + k)ⁿ⁺¹
  const c = cotangent(x, n % 2 === 0 ? Number.NaN : Number.POSITIVE_INFINITY);
  const slope = c.polynomial(cotangentSlope(n)).times(-(Math.PI ** (n + 1)));
  return isBelow.choose(slope.minus(zeta), above);
}

/** How far a ≥ 0 is from the nearest whole number, and whether that lies above it. */
function distanceOf<V>(a: FloatValue<V>) {
  const fraction = a.minus(a.call("floor"));
  const isUpper = fraction.above(0.5);
  const size = isUpper.choose(fraction.negative().plus(1), fraction);
  return { isUpper, size, isWhole: size.equals(0) };
}

/** π cot πx of x < 0, the slope of log |sin πx|; NaN at whole numbers. */
function slopeOfSine<V>(x: FloatValue<V>): FloatValue<V> {
  const { isUpper, size, isWhole } = distanceOf(x.abs());
  // 1/t − 2 Σ ζ(2k) t²ᵏ⁻¹
  const slope = size.inverse().minus(size.times(size.times(size).polynomial(COTANGENT)));
  return isWhole.choose(Number.NaN, isUpper.choose(slope, slope.negative()));
}

/** sin πa of a ≥ 0 as a size, and what cot πa is made of: neither loses digits near whole numbers. */
function fractionOf<V>(a: FloatValue<V>) {
  const { isUpper, size, isWhole } = distanceOf(a);
  const sine = size.times(Math.PI).call("g_sin");
  const cosine = size.negative().plus(0.5).times(Math.PI).call("g_sin");
  return { isUpper, sine, cosine, isWhole };
}

/** cot πx; what is asked for at whole numbers. */
function cotangent<V>(x: FloatValue<V>, atWhole: number): FloatValue<V> {
  const { isUpper, sine, cosine, isWhole } = fractionOf(x.abs());
  const c = cosine.over(sine);
  const odd = isUpper.choose(c.negative(), c);
  return isWhole.choose(atWhole, x.below(0).choose(odd.negative(), odd));
}

const HALF_LOG_TAU = Math.log(2 * Math.PI) / 2;

/** The zero of ψ, 1.4616321449683622, as a float and a rest. */
const ROOT = 1.4616321325302124;
const ROOT_REST = 1.243815006546356e-8;

// Polynomials with the least of largest errors, relative to the function: 9e-9 for log Γ(2 + u) / u on
// [−1, 1], 2e-8 for ψ(w) / (w − root) by w − 1.5 on [1, 2], 3e-9 for what Stirling's series and that of
// ψ have behind their first terms, by x⁻² for x ≥ 3, 1e-8 for (1/t − π cot πt) / t by t² on [0, ½].

const LGAMMA: readonly number[] = [
  0.000036296967379847945, -0.00008609565826920838, 0.00008562974620060255, -0.00017450398474660824,
  0.0005125589693262373, -0.0012170937637602974, 0.0028916543041020196, -0.007380328670244438,
  0.0205803580052675, -0.06735269164646894, 0.3224670631211271, 0.42278433955645217,
];

const STIRLING: readonly number[] = [
  0.0006789769382813489, -0.0027698875539211216, 0.08333316229391964,
];

const DIGAMMA: readonly number[] = [
  -0.01622106501131158, 0.023924327340304214, -0.02587250688589276, 0.03936182026092303,
  -0.062039972951132866, 0.09511740288662623, -0.14839996850284912, 0.24053839440098443,
  -0.42362747684156704, 0.9510558966847913,
];

const DIGAMMA_FAR: readonly number[] = [
  0.0032323224468841136, -0.008286381168770408, 0.08333240882952808,
];

const COTANGENT: readonly number[] = [
  5.297303360462983, 0.6473767421152838, 2.2536099654699915, 1.9849722975527613, 2.0356847960084807,
  2.164630512690219, 3.289868174988286,
];
