import { checkNotNegative, checkOptions, type Known } from "../core/check.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import { ones } from "../ops/creation.ts";
import { exp, sqrt } from "../ops/unary.ts";
import {
  ADAPTIVE_OPTIONS,
  AdaptiveMoments,
  type AdaptiveMomentsOptions,
} from "./adaptive-moments.ts";
import { biasCorrection, packScalars, penalized } from "./formulas.ts";
import type { Assignment, Parameters } from "./optimizer.ts";

/** Options of `NAdam`. */
export interface NAdamOptions extends AdaptiveMomentsOptions {
  /** ψ, how fast the momentum rises from β₁ / 2 to β₁, from 0; 0.004 when left out. */
  momentumDecay?: number;
}

const OPTIONS: Known<NAdamOptions> = { ...ADAPTIVE_OPTIONS, momentumDecay: true };

/**
 * Descends as `Adam` and looks ahead along the mean of gradients, as Nesterov's momentum does:
 *
 *     g ← ∂L/∂p + λ p,   m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
 *     μₜ = β₁ (1 − ½ 0.96^(t ψ)),   Πₜ = μ₁ · … · μₜ
 *     m̂ = μₜ₊₁ m / (1 − Πₜ₊₁) + (1 − μₜ) g / (1 − Πₜ),   v̂ = v / (1 − β₂ᵗ)
 *     p ← p − learningRate · m̂ / (√v̂ + ε)
 *
 * starting at m = v = 0 and t = 1. Source: Dozat 2016, "Incorporating Nesterov momentum into Adam",
 * in PyTorch's form, which adds the penalty λ/2 ‖p‖² to the loss. The product Π is saved as
 * `momentumProduct`.
 * @throws GradusError for an option out of its range.
 * @example new NAdam(model.parameters(), { learningRate: 0.002 });
 */
export class NAdam extends AdaptiveMoments {
  readonly momentumDecay: number;
  readonly #product: State;

  constructor(parameters: Parameters, options: NAdamOptions, ...surplus: never[]) {
    checkOptions("NAdam", options, OPTIONS, surplus);
    const { momentumDecay = 0.004 } = options;
    checkNotNegative("NAdam", { momentumDecay });
    super("NAdam", parameters, options);
    this.momentumDecay = momentumDecay;
    this.#product = this.makeState("momentumProduct", ones([], this.parameters[0]));
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { rate, time, epsilon } = this;
    const [now, then] = [this.#momentum(time), this.#momentum(add(time, 1))];
    const product = mul(this.#product, now);
    // p ← p − (ofG · g + ofM · m) / (√v / root + ε)
    const scalars = packScalars([
      div(mul(rate, sub(1, now)), sub(1, product)),
      div(mul(rate, then), sub(1, mul(product, then))),
      sqrt(biasCorrection(this.beta2, time)),
    ]);
    const steps = this.parameters.flatMap((p, i): Assignment[] => {
      const [ofG, ofM, root] = scalars(p);
      const g = penalized(gradients[i], p, this.weightDecay);
      const { m, v, next } = this.moments(i, g);
      const direction = add(mul(g, ofG), mul(m, ofM));
      return [...next, [p, sub(p, div(direction, add(div(sqrt(v), root), epsilon)))]];
    });
    return [...steps, [this.#product, product]];
  }

  /** β₁ (1 − ½ 0.96^(t ψ)) */
  #momentum(t: Tensor): Tensor {
    const fading = exp(mul(t, this.momentumDecay * Math.log(0.96)));
    return mul(sub(1, mul(fading, 0.5)), this.beta1);
  }
}
