import { checkPositive } from "../core/check.ts";
import { steps } from "../forms/float-value.ts";
import { customGrad } from "../graph/custom-grad.ts";
import { checkArguments, type Tensor } from "../graph/tensor.ts";
import { NEAR_ZERO } from "../kernels/shaders.ts";
import { elu, gated } from "./activations.ts";
import { add, div, minimum, mul, square } from "./arithmetic.ts";
import { greater } from "./compare.ts";
import { checkDomain } from "./domain.ts";
import { type UnaryFunction, unary } from "./elementwise.ts";
import { abs, exp, expm1, isFinite, sign, tanh } from "./unary.ts";
import { where } from "./where.ts";

/** y = x / (1 + |x|), ±1 for ±∞; dx = g / (1 + |x|)². */
const softsignOf = /* @__PURE__ */ customGrad(
  (x: Tensor) => {
    const isOrdinary = isFinite(x);
    const finite = where(isOrdinary, x, 0); // ∞ / ∞ is NaN
    return where(isOrdinary, div(finite, add(abs(finite), 1)), sign(x));
  },
  (g, _, x) => [div(g, square(add(abs(x), 1)))],
);

/**
 * Computes x / (1 + |x|), ±1 for ±∞.
 * Source: Bergstra, Desjardins, Lamblin, Bengio 2009, "Quadratic polynomials learn better image
 * features".
 */
export function softsign(x: Tensor, ...surplus: never[]): Tensor {
  checkArguments("softsign(x)", [x], surplus);
  checkDomain("softsign", x.dtype, "float");
  return softsignOf(x);
}

/** e = eᵘ and e (e + 2), cut where tanh(log(1 + eᵘ)) is 1. */
function powers(u: Tensor): [e: Tensor, n: Tensor] {
  const e = exp(minimum(u, 40));
  return [e, mul(e, add(e, 2))];
}

/**
 * y = tanh(log(1 + eᵘ)) = n / (n + 2); du = g · 4e (e + 1) / (n + 2)², of which 1 − y² would lose
 * digits.
 */
const mishGate = /* @__PURE__ */ customGrad(
  (u: Tensor) => {
    const [, n] = powers(u);
    return div(n, add(n, 2));
  },
  (g, _, u) => {
    const [e, n] = powers(u);
    const m = add(n, 2);
    return [mul(g, mul(div(mul(e, add(e, 1)), m), div(4, m)))];
  },
);

/**
 * Computes x · tanh(log(1 + eˣ)).
 * Source: Misra 2020, "Mish: a self regularized non-monotonic activation function".
 */
export function mish(x: Tensor, ...surplus: never[]): Tensor {
  checkArguments("mish(x)", [x], surplus);
  checkDomain("mish", x.dtype, "float");
  return gated(x, 800, mishGate); // e^(−800) is 0 in float64 too
}

/** λ and α, by which means of 0 and variances of 1 stay so from layer to layer. */
const [SELU_SCALE, SELU_ALPHA] = [1.0507009873554805, 1.6732632423543772];

/**
 * Computes λx for x > 0 and λα · (eˣ − 1) elsewhere, with λ = 1.0507… and α = 1.6733…; the gradient
 * at 0 is λα.
 * Source: Klambauer, Unterthiner, Mayr, Hochreiter 2017, "Self-normalizing neural networks", eq. 2.
 */
export function selu(x: Tensor, ...surplus: never[]): Tensor {
  checkArguments("selu(x)", [x], surplus);
  checkDomain("selu", x.dtype, "float");
  return mul(elu(x, SELU_ALPHA), SELU_SCALE);
}

/**
 * Computes x for x > 0 and α · (e^(x/α) − 1) elsewhere, whose slope is 1 at 0 for every α.
 * @param alpha a finite number above 0; 1 when left out.
 * Source: Barron 2017, "Continuously differentiable exponential linear units", eq. 2.
 */
export function celu(x: Tensor, alpha = 1, ...surplus: never[]): Tensor {
  checkArguments("celu(x, alpha)", [x], surplus);
  checkDomain("celu", x.dtype, "float");
  checkPositive("celu", { alpha });
  const positive = greater(x, 0);
  // The side that is not taken sees 0, so that neither it nor its gradient overflows.
  return where(positive, x, mul(expm1(div(where(positive, 0, x), alpha)), alpha));
}

/**
 * Computes x − tanh x, which is x³/3 near 0, with its digits there too.
 * Formula: for |x| < 1 the cube times a polynomial of x²; the slope is tanh² x.
 */
export const tanhShrink: UnaryFunction = unary({
  name: "tanhShrink",
  domain: "float",
  js: (x) => (Math.abs(x) < 0.2 ? cubeTimes(x, TAYLOR) : x - Math.tanh(x)),
  formula: steps((x) => {
    const z = x.times(x);
    const near = x.times(z).times(z.polynomial(SHRINK));
    return x
      .abs()
      .below(1)
      .choose(near, x.minus(x.call("g_tanh")));
  }),
  libraries: NEAR_ZERO,
  cost: 20,
  vjp: (g, _, x) => [mul(g, square(tanh(x)))],
});

function cubeTimes(x: number, factors: readonly number[]): number {
  return x * x * x * factors.reduce((sum, c) => sum * x * x + c, 0);
}

/** (x − tanh x) / x³ by powers of x², the highest first. */
const TAYLOR: readonly number[] = [
  -6404582 / 10854718875,
  929569 / 638512875,
  -21844 / 6081075,
  1382 / 155925,
  -62 / 2835,
  17 / 315,
  -2 / 15,
  1 / 3,
];

/** The same within 5e-9 for |x| ≤ 1, with the least of largest errors. */
const SHRINK: readonly number[] = [
  -0.00014282337508831234, 0.0009236072110363951, -0.0032069508070368406, 0.00869794907835772,
  -0.02182958478723622, 0.05396342083588745, -0.13333310694310116, 0.33333333157128714,
];
