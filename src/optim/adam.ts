import { checkOptions, type Known } from "../core/check.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, mul, sub } from "../ops/arithmetic.ts";
import { sqrt } from "../ops/unary.ts";
import {
  ADAPTIVE_OPTIONS,
  AdaptiveMoments,
  type AdaptiveMomentsOptions,
} from "./adaptive-moments.ts";
import { biasCorrection, packScalars, penalized } from "./formulas.ts";
import type { Assignment, Parameters } from "./optimizer.ts";

/** Options of `Adam` and `AdamW`. */
export interface AdamOptions extends AdaptiveMomentsOptions {
  /** Whether steps are divided by the largest mean of squares so far; false when left out. */
  amsgrad?: boolean;
  /** λ, from 0; 0 for `Adam` and 0.01 for `AdamW` when left out. */
  weightDecay?: number;
}

const OPTIONS: Known<AdamOptions> = { ...ADAPTIVE_OPTIONS, amsgrad: "boolean" };

/** Where a step starts from, and the gradient that it follows. */
interface Decayed {
  readonly start: Tensor;
  readonly g: Tensor;
}

/** What `Adam` and `AdamW` share: all but the place of the weight decay. */
abstract class AdamSteps extends AdaptiveMoments {
  readonly amsgrad: boolean;
  readonly #largest: readonly State[];

  constructor(
    op: string,
    parameters: Parameters,
    options: AdamOptions,
    surplus: readonly unknown[],
    weightDecay = 0,
  ) {
    checkOptions(op, options, OPTIONS, surplus);
    super(op, parameters, { ...options, weightDecay: options.weightDecay ?? weightDecay });
    this.amsgrad = options.amsgrad ?? false;
    this.isRowwise = !this.amsgrad && this.weightDecay === 0;
    this.#largest = this.amsgrad ? this.makeSlots("maxSquare") : [];
  }

  /** Applies the weight decay λ; `decay` is learningRate · λ. */
  protected abstract decay(p: Tensor, g: Tensor, decay: Tensor): Decayed;

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { rate, time, beta1, beta2, weightDecay } = this;
    // p ← p − stepSize · m / (√v / root + ε)
    const scalars = packScalars([
      div(rate, biasCorrection(beta1, time)),
      sqrt(biasCorrection(beta2, time)),
      mul(rate, weightDecay),
    ]);
    return this.parameters.flatMap((p, i): Assignment[] => {
      const [stepSize, root, decay] = scalars(p);
      const given = { start: p, g: gradients[i] };
      const { start, g } = weightDecay > 0 ? this.decay(p, given.g, decay) : given;
      const { m, v, next } = this.moments(i, g);
      const slot = this.#largest[i];
      const largest = slot ? maximum(slot, v) : v;
      if (slot) next.push([slot, largest]);
      const direction = div(m, add(div(sqrt(largest), root), this.epsilon));
      return [...next, [p, sub(start, mul(direction, stepSize))]];
    });
  }
}

/**
 * Descends along the mean of gradients divided by the root of the mean of their squares:
 *
 *     g ← ∂L/∂p + λ p
 *     m ← β₁ m + (1 − β₁) g
 *     v ← β₂ v + (1 − β₂) g²
 *     p ← p − learningRate · m̂ / (√v̂ + ε),   m̂ = m / (1 − β₁ᵗ),   v̂ = v / (1 − β₂ᵗ)
 *
 * starting at m = v = 0 and t = 1. Source: Kingma & Ba 2015, "Adam: A method for stochastic
 * optimization", Algorithm 1, in PyTorch's form, which adds the penalty λ/2 ‖p‖² to the loss.
 *
 * With `amsgrad` the largest v so far, w ← max(w, v), takes v's place in the last line. Source:
 * Reddi et al. 2018, "On the convergence of Adam and beyond", Algorithm 2, in PyTorch's form, which
 * corrects the bias after the maximum.
 * @throws GradusError for an option out of its range.
 * @example new Adam(model.parameters(), { learningRate: 0.001 });
 */
export class Adam extends AdamSteps {
  constructor(parameters: Parameters, options: AdamOptions, ...surplus: never[]) {
    super("Adam", parameters, options, surplus);
  }

  protected override decay(p: Tensor, g: Tensor): Decayed {
    return { start: p, g: penalized(g, p, this.weightDecay) };
  }
}

/**
 * Descends as `Adam` and shrinks the parameters apart from the gradient:
 *
 *     p ← p − learningRate · (λ p + m̂ / (√v̂ + ε))
 *
 * Source: Loshchilov & Hutter 2019, "Decoupled weight decay regularization", Algorithm 2, in
 * PyTorch's form, in which the learning rate scales λ.
 * @throws GradusError for an option out of its range.
 * @example new AdamW(model.parameters(), { learningRate: 0.001, weightDecay: 0.1 });
 */
export class AdamW extends AdamSteps {
  constructor(parameters: Parameters, options: AdamOptions, ...surplus: never[]) {
    super("AdamW", parameters, options, surplus, 0.01);
  }

  protected override decay(p: Tensor, g: Tensor, decay: Tensor): Decayed {
    return { start: sub(p, mul(p, decay)), g };
  }
}
