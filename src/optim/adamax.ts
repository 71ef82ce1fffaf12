import { checkOptions } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, mul, sub } from "../ops/arithmetic.ts";
import { abs } from "../ops/unary.ts";
import {
  ADAPTIVE_OPTIONS,
  AdaptiveMoments,
  type AdaptiveMomentsOptions,
} from "./adaptive-moments.ts";
import { biasCorrection, penalized } from "./formulas.ts";
import type { Assignment, Parameters } from "./optimizer.ts";

/** Options of `Adamax`. */
export type AdamaxOptions = AdaptiveMomentsOptions;

/**
 * Descends along the mean of gradients divided by the largest of them, which fades:
 *
 *     g ← ∂L/∂p + λ p
 *     m ← β₁ m + (1 − β₁) g
 *     u ← max(β₂ u, |g| + ε)
 *     p ← p − learningRate / (1 − β₁ᵗ) · m / u
 *
 * starting at m = u = 0 and t = 1. Source: Kingma & Ba 2015, "Adam: A method for stochastic
 * optimization", Algorithm 2, in PyTorch's form, which has ε beside |g| and adds the penalty
 * λ/2 ‖p‖² to the loss.
 * @throws GradusError for an option out of its range.
 * @example new Adamax(model.parameters(), { learningRate: 0.002 });
 */
export class Adamax extends AdaptiveMoments {
  constructor(parameters: Parameters, options: AdamaxOptions, ...surplus: never[]) {
    checkOptions<AdamaxOptions>("Adamax", options, ADAPTIVE_OPTIONS, surplus);
    super("Adamax", parameters, options, { second: "maximum" });
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { beta2, epsilon } = this;
    const stepSize = div(this.rate, biasCorrection(this.beta1, this.time));
    return this.parameters.flatMap((p, i): Assignment[] => {
      const g = penalized(gradients[i], p, this.weightDecay);
      const largest = (u: Tensor) => maximum(mul(u, beta2), add(abs(g), epsilon));
      const { m, v: u, next } = this.moments(i, g, largest);
      return [...next, [p, sub(p, mul(div(m, u), stepSize))]];
    });
  }
}
