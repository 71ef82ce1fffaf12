import { checkOptions } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, mul, square, sub } from "../ops/arithmetic.ts";
import { greater, less } from "../ops/compare.ts";
import { sqrt, tanh } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import {
  ADAPTIVE_OPTIONS,
  AdaptiveMoments,
  type AdaptiveMomentsOptions,
} from "./adaptive-moments.ts";
import { biasCorrection, packScalars, penalized } from "./formulas.ts";
import type { Assignment, Parameters } from "./optimizer.ts";

/** Options of `RAdam`. */
export type RAdamOptions = AdaptiveMomentsOptions;

/** From this length on a mean of squares is trusted. */
const LONG_ENOUGH = 5;

/**
 * Descends as `Adam` does, by m̂ alone while the mean of squares is made of too few gradients, and by
 * steps that grow to Adam's as their variance falls:
 *
 *     g ← ∂L/∂p + λ p,   m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
 *     ρ∞ = 2 / (1 − β₂) − 1,   ρ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ)
 *     p ← p − learningRate · m̂ · r · √(1 − β₂ᵗ) / (√v + ε)      where ρ > 5
 *     p ← p − learningRate · m̂                                   elsewhere
 *     r² = (ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ),   m̂ = m / (1 − β₁ᵗ)
 *
 * starting at m = v = 0 and t = 1. Source: Liu et al. 2020, "On the variance of the adaptive learning
 * rate and beyond", Algorithm 2, in PyTorch's form, which adds the penalty λ/2 ‖p‖² to the loss.
 * @throws GradusError for an option out of its range.
 * @example new RAdam(model.parameters(), { learningRate: 0.001 });
 */
export class RAdam extends AdaptiveMoments {
  constructor(parameters: Parameters, options: RAdamOptions, ...surplus: never[]) {
    checkOptions<RAdamOptions>("RAdam", options, ADAPTIVE_OPTIONS, surplus);
    super("RAdam", parameters, options);
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { rate, time, beta1, beta2 } = this;
    const length = lengthOfMean(beta2, time);
    const isLong = greater(length, LONG_ENOUGH);
    const stepSize = div(rate, biasCorrection(beta1, time));
    const rectified = mul(rectification(beta2, length), sqrt(biasCorrection(beta2, time)));
    // p ← p − m · (plain + adapted / (√v + ε))
    const scalars = packScalars([
      where(isLong, 0, stepSize),
      where(isLong, mul(stepSize, rectified), 0),
    ]);
    return this.parameters.flatMap((p, i): Assignment[] => {
      const [plain, adapted] = scalars(p);
      const { m, v, next } = this.moments(i, penalized(gradients[i], p, this.weightDecay));
      const scale = add(plain, div(adapted, add(sqrt(v), this.epsilon)));
      return [...next, [p, sub(p, mul(m, scale))]];
    });
  }
}

/** r, of a mean that is long enough. */
function rectification(beta2: number, length: Tensor): Tensor {
  const most = 2 / (1 - beta2) - 1;
  if (most <= LONG_ENOUGH) return mul(length, 0); // it never is
  const factor = most / ((most - 4) * (most - 2));
  return sqrt(maximum(mul(div(mul(sub(length, 4), sub(length, 2)), length), factor), 0));
}

/** What x / (eˣ − 1) has beyond 1 − x/2: Bernoulli's numbers over factorials, of x², x⁴, …, x¹². */
const BERNOULLI = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000];

/**
 * ρ = ρ∞ − 2 t / (e^(t x) − 1) with x = −ln β₂. Of two numbers that are nearly equal at first, so it is
 * t + (coth(x/2) − 2/x) − (2/x) h(t x), with h(y) = y / (e^y − 1) − 1 + y/2.
 */
function lengthOfMean(beta2: number, t: Tensor): Tensor {
  const x = -Math.log(Math.max(beta2, Number.MIN_VALUE));
  const y = mul(t, x);
  const z = square(y);
  const [last, ...others] = BERNOULLI.toReversed();
  const series = mul(
    others.reduce((sum: Tensor, b) => add(mul(sum, z), b), add(mul(z, 0), last)),
    z,
  );
  const half = mul(y, 0.5);
  const h = where(less(y, 0.5), series, sub(div(half, tanh(half)), 1));
  return sub(add(t, 1 / Math.tanh(x / 2) - 2 / x), mul(h, 2 / x));
}
