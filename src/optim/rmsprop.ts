import {
  checkDecay,
  checkNotNegative,
  checkOptions,
  checkPositive,
  type Known,
} from "../core/check.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, mul, square, sub } from "../ops/arithmetic.ts";
import { sqrt } from "../ops/unary.ts";
import { averaged, penalized } from "./formulas.ts";
import {
  type Assignment,
  OPTIMIZER_OPTIONS,
  Optimizer,
  type OptimizerOptions,
  type Parameters,
} from "./optimizer.ts";

/** Options of `RMSprop`. */
export interface RMSpropOptions extends OptimizerOptions {
  /** α, how much of the mean of squared gradients stays each step, in [0, 1); 0.99 when left out. */
  alpha?: number;
  /** ε, what keeps the divisor above 0; 1e-8 when left out. */
  epsilon?: number;
  /** μ, from 0 (none, when left out). */
  momentum?: number;
  /** Whether gradients are divided by their deviation from their mean; false when left out. */
  centered?: boolean;
  /** λ of the penalty λ/2 ‖p‖², from 0 (none, when left out). */
  weightDecay?: number;
}

const OPTIONS: Known<RMSpropOptions> = {
  ...OPTIMIZER_OPTIONS,
  alpha: true,
  epsilon: true,
  momentum: true,
  centered: "boolean",
  weightDecay: true,
};

/**
 * Descends along the gradient divided by the root of the mean of its squares:
 *
 *     g ← ∂L/∂p + λ p
 *     v ← α v + (1 − α) g²
 *     b ← μ b + g / (√v + ε)
 *     p ← p − learningRate · b
 *
 * starting at v = b = 0. Centered, √(v − a²) takes the place of √v, where a ← α a + (1 − α) g
 * (Graves 2013, "Generating sequences with recurrent neural networks", eq. 38-40); what rounding
 * leaves below 0 under the root counts as 0. Source: Tieleman & Hinton 2012, "Lecture 6.5: RMSprop",
 * in PyTorch's form, in which ε stands outside the root.
 * @throws GradusError for an option out of its range.
 * @example new RMSprop(model.parameters(), { learningRate: 0.01 });
 */
export class RMSprop extends Optimizer {
  readonly alpha: number;
  readonly epsilon: number;
  readonly momentum: number;
  readonly centered: boolean;
  readonly weightDecay: number;
  readonly #squares: readonly State[];
  readonly #means: readonly State[];
  readonly #velocities: readonly State[];

  constructor(parameters: Parameters, options: RMSpropOptions, ...surplus: never[]) {
    checkOptions("RMSprop", options, OPTIONS, surplus);
    const { alpha = 0.99, epsilon = 1e-8, momentum = 0, weightDecay = 0 } = options;
    checkDecay("RMSprop", { alpha });
    checkPositive("RMSprop", { epsilon });
    checkNotNegative("RMSprop", { momentum, weightDecay });
    super(parameters, options, "RMSprop");
    this.alpha = alpha;
    this.epsilon = epsilon;
    this.momentum = momentum;
    this.centered = options.centered ?? false;
    this.weightDecay = weightDecay;
    this.#squares = this.makeSlots("square");
    this.#means = this.centered ? this.makeSlots("mean") : [];
    this.#velocities = momentum > 0 ? this.makeSlots("momentum") : [];
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { rate } = this;
    return this.parameters.flatMap((p, i): Assignment[] => {
      const g = penalized(gradients[i], p, this.weightDecay);
      const { spread, next } = this.#spread(g, i);
      const scaled = div(g, add(sqrt(spread), this.epsilon));
      const slot = this.#velocities[i];
      if (!slot) return [...next, [p, sub(p, mul(scaled, rate))]];
      const b = add(mul(slot, this.momentum), scaled);
      return [...next, [slot, b], [p, sub(p, mul(b, rate))]];
    });
  }

  /** What stands under the root, v or v − a², and the next values of its slots. */
  #spread(g: Tensor, i: number): { spread: Tensor; next: Assignment[] } {
    const v = averaged(this.#squares[i], square(g), this.alpha);
    const mean = this.#means[i];
    if (!mean) return { spread: v, next: [[this.#squares[i], v]] };
    const a = averaged(mean, g, this.alpha);
    const next: Assignment[] = [
      [this.#squares[i], v],
      [mean, a],
    ];
    return { spread: maximum(sub(v, square(a)), 0), next };
  }
}
