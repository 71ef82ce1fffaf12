import { checkDecay, checkNotNegative, checkOptions, type Known } from "../core/check.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { mul, sub } from "../ops/arithmetic.ts";
import { sign } from "../ops/unary.ts";
import { averaged, penalized } from "./formulas.ts";
import {
  type Assignment,
  OPTIMIZER_OPTIONS,
  Optimizer,
  type OptimizerOptions,
  type Parameters,
} from "./optimizer.ts";

/** Options of `Lion`. */
export interface LionOptions extends OptimizerOptions {
  /** β₁, how much of the step's direction is the mean of gradients, in [0, 1); 0.9 when left out. */
  beta1?: number;
  /** β₂, how much of that mean stays each step, in [0, 1); 0.99 when left out. */
  beta2?: number;
  /** λ, from 0 (none, when left out). */
  weightDecay?: number;
}

const OPTIONS: Known<LionOptions> = {
  ...OPTIMIZER_OPTIONS,
  beta1: true,
  beta2: true,
  weightDecay: true,
};

/**
 * Descends by the sign of a mean of gradients, so that every element moves by the same amount:
 *
 *     p ← p − learningRate · (sign(β₁ m + (1 − β₁) g) + λ p)
 *     m ← β₂ m + (1 − β₂) g
 *
 * starting at m = 0. It wants a learning rate 3 to 10 times smaller, and λ as much larger, than
 * `AdamW`. Source: Chen et al. 2023, "Symbolic discovery of optimization algorithms", Algorithm 2.
 * @throws GradusError for an option out of its range.
 * @example new Lion(model.parameters(), { learningRate: 1e-4, weightDecay: 0.1 });
 */
export class Lion extends Optimizer {
  readonly beta1: number;
  readonly beta2: number;
  readonly weightDecay: number;
  readonly #means: readonly State[];

  constructor(parameters: Parameters, options: LionOptions, ...surplus: never[]) {
    checkOptions("Lion", options, OPTIONS, surplus);
    const { beta1 = 0.9, beta2 = 0.99, weightDecay = 0 } = options;
    checkDecay("Lion", { beta1, beta2 });
    checkNotNegative("Lion", { weightDecay });
    super(parameters, options, "Lion");
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.weightDecay = weightDecay;
    this.#means = this.makeSlots("mean");
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { rate, beta1, beta2, weightDecay } = this;
    return this.parameters.flatMap((p, i): Assignment[] => {
      const [g, mean] = [gradients[i], this.#means[i]];
      const direction = sign(averaged(mean, g, beta1));
      return [
        [mean, averaged(mean, g, beta2)],
        [p, sub(p, mul(penalized(direction, p, weightDecay), rate))],
      ];
    });
  }
}
