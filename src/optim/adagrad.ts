import { checkNotNegative, checkOptions, checkPositive, type Known } from "../core/check.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, mul, square, sub } from "../ops/arithmetic.ts";
import { full } from "../ops/creation.ts";
import { sqrt } from "../ops/unary.ts";
import { penalized } from "./formulas.ts";
import {
  type Assignment,
  OPTIMIZER_OPTIONS,
  Optimizer,
  type OptimizerOptions,
  type Parameters,
} from "./optimizer.ts";

/** Options of `Adagrad`. */
export interface AdagradOptions extends OptimizerOptions {
  /** What the sums of squares start at, from 0 (0 when left out). */
  initialSum?: number;
  /** ε, what keeps the divisor above 0; 1e-10 when left out. */
  epsilon?: number;
  /** λ of the penalty λ/2 ‖p‖², from 0 (none, when left out). */
  weightDecay?: number;
}

const OPTIONS: Known<AdagradOptions> = {
  ...OPTIMIZER_OPTIONS,
  initialSum: true,
  epsilon: true,
  weightDecay: true,
};

/**
 * Descends along the gradient divided by the root of the sum of all squares so far, so that rarely
 * used parameters move far:
 *
 *     g ← ∂L/∂p + λ p
 *     s ← s + g²
 *     p ← p − learningRate · g / (√s + ε)
 *
 * Source: Duchi et al. 2011, "Adaptive subgradient methods for online learning and stochastic
 * optimization", in PyTorch's form; for its falling learning rate, use the schedule
 * `inverseTimeDecay`.
 * @throws GradusError for an option out of its range.
 * @example new Adagrad(model.parameters(), { learningRate: 0.01 });
 */
export class Adagrad extends Optimizer {
  readonly initialSum: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly #sums: readonly State[];

  constructor(parameters: Parameters, options: AdagradOptions, ...surplus: never[]) {
    checkOptions("Adagrad", options, OPTIONS, surplus);
    const { initialSum = 0, epsilon = 1e-10, weightDecay = 0 } = options;
    checkNotNegative("Adagrad", { initialSum, weightDecay });
    checkPositive("Adagrad", { epsilon });
    super(parameters, options, "Adagrad");
    this.initialSum = initialSum;
    this.epsilon = epsilon;
    this.weightDecay = weightDecay;
    this.#sums = this.makeSlots("sum", (shape, like) => full(shape, initialSum, like));
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { rate, epsilon } = this;
    return this.parameters.flatMap((p, i): Assignment[] => {
      const g = penalized(gradients[i], p, this.weightDecay);
      const s = add(this.#sums[i], square(g));
      return [
        [this.#sums[i], s],
        [p, sub(p, mul(div(g, add(sqrt(s), epsilon)), rate))],
      ];
    });
  }
}
