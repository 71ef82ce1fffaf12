import { checkPositive } from "../core/check.ts";
import { customGrad } from "../graph/custom-grad.ts";
import { checkArguments, type Tensor } from "../graph/tensor.ts";
import { elu, gated } from "./activations.ts";
import { add, div, minimum, mul, square, sub } from "./arithmetic.ts";
import { greater } from "./compare.ts";
import { checkDomain } from "./domain.ts";
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

/** Computes x − tanh x, which is x³/3 near 0, to the digits that x has. */
export function tanhShrink(x: Tensor, ...surplus: never[]): Tensor {
  checkArguments("tanhShrink(x)", [x], surplus);
  checkDomain("tanhShrink", x.dtype, "float");
  return sub(x, tanh(x));
}
