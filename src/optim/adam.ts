import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, mul, neg, square, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { reshape } from "../ops/reshape.ts";
import { slice, stack } from "../ops/slice.ts";
import { expm1, sqrt } from "../ops/unary.ts";
import { checkDecay, checkNotNegative, checkPositive } from "./check.ts";
import { type Assignment, Optimizer, type OptimizerOptions, type Parameters } from "./optimizer.ts";

/** Options of `Adam` and `AdamW`. */
export interface AdamOptions extends OptimizerOptions {
  /** β₁, how much of the mean of gradients stays each step, in [0, 1); 0.9 when left out. */
  beta1?: number;
  /** β₂, how much of the mean of their squares stays each step, in [0, 1); 0.999 when left out. */
  beta2?: number;
  /** ε, what keeps the divisor above 0; 1e-8 when left out. */
  epsilon?: number;
  /** λ, from 0; 0 for `Adam` and 0.01 for `AdamW` when left out. */
  weightDecay?: number;
}

/** Where a step starts from, and the gradient that it follows. */
interface Decayed {
  readonly start: Tensor;
  readonly g: Tensor;
}

/** What `Adam` and `AdamW` share: all but the place of the weight decay. */
abstract class AdaptiveMoments extends Optimizer {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly #means: readonly State[];
  readonly #squares: readonly State[];

  constructor(op: string, parameters: Parameters, options: AdamOptions & { weightDecay: number }) {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay } = options;
    checkDecay(op, "beta1", beta1);
    checkDecay(op, "beta2", beta2);
    checkPositive(op, "epsilon", epsilon);
    checkNotNegative(op, "weightDecay", weightDecay);
    super(parameters, options);
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.epsilon = epsilon;
    this.weightDecay = weightDecay;
    this.#means = this.makeSlots("mean");
    this.#squares = this.makeSlots("square");
  }

  /** Applies a weight decay λ above 0; `decay` is learningRate · λ. */
  protected abstract decay(p: Tensor, g: Tensor, decay: Tensor): Decayed;

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { beta1, beta2, rate } = this;
    // Scalars of the step: p ← p − stepSize · m / (√v / root + ε). As one tensor they take one buffer
    // of each kernel that updates parameters.
    const scalars = stack([
      div(rate, this.#correction(beta1, rate)),
      sqrt(this.#correction(beta2, rate)),
      mul(rate, this.weightDecay),
    ]);
    const [stepSize, root, decay] = [0, 1, 2].map((i) =>
      reshape(slice(scalars, [{ start: i, end: i + 1 }]), []),
    );
    return this.parameters.flatMap((p, i): Assignment[] => {
      const given = { start: p, g: gradients[i] };
      const { start, g } = this.weightDecay > 0 ? this.decay(p, given.g, decay) : given;
      const m = add(mul(this.#means[i], beta1), mul(g, 1 - beta1));
      const v = add(mul(this.#squares[i], beta2), mul(square(g), 1 - beta2));
      const direction = div(m, add(div(sqrt(v), root), this.epsilon));
      return [
        [this.#means[i], m],
        [this.#squares[i], v],
        [p, sub(start, mul(direction, stepSize))],
      ];
    });
  }

  /** 1 − βᵗ = −expm1(t ln β), which does not cancel where βᵗ is near 1; t counts from 1. */
  #correction(beta: number, { dtype }: Tensor): Tensor {
    const logBeta = Math.log(Math.max(beta, Number.MIN_VALUE)); // ln 0 = −∞ is no WGSL number
    return neg(expm1(mul(cast(add(this.counter, 1), dtype), logBeta)));
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
 * @throws GradusError for an option out of its range.
 * @example new Adam(model.parameters(), { learningRate: 0.001 });
 */
export class Adam extends AdaptiveMoments {
  constructor(parameters: Parameters, options: AdamOptions) {
    super("Adam", parameters, { ...options, weightDecay: options.weightDecay ?? 0 });
  }

  protected override decay(p: Tensor, g: Tensor): Decayed {
    return { start: p, g: add(g, mul(p, this.weightDecay)) };
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
export class AdamW extends AdaptiveMoments {
  constructor(parameters: Parameters, options: AdamOptions) {
    super("AdamW", parameters, { ...options, weightDecay: options.weightDecay ?? 0.01 });
  }

  protected override decay(p: Tensor, g: Tensor, decay: Tensor): Decayed {
    return { start: sub(p, mul(p, decay)), g };
  }
}
