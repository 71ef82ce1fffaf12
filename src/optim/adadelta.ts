import {
  checkDecay,
  checkNotNegative,
  checkOptions,
  checkPositive,
  type Known,
} from "../core/check.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, mul, square, sub } from "../ops/arithmetic.ts";
import { sqrt } from "../ops/unary.ts";
import { averaged, penalized } from "./formulas.ts";
import {
  type Assignment,
  OPTIMIZER_OPTIONS,
  Optimizer,
  type OptimizerOptions,
  type Parameters,
} from "./optimizer.ts";

/** Options of `Adadelta`. */
export interface AdadeltaOptions extends OptimizerOptions {
  /** ρ, how much of both means of squares stays each step, in [0, 1); 0.9 when left out. */
  rho?: number;
  /** ε, which keeps the divisor above 0 and makes the first step; 1e-6 when left out. */
  epsilon?: number;
  /** λ of the penalty λ/2 ‖p‖², from 0 (none, when left out). */
  weightDecay?: number;
}

const OPTIONS: Known<AdadeltaOptions> = {
  ...OPTIMIZER_OPTIONS,
  rho: true,
  epsilon: true,
  weightDecay: true,
};

/**
 * Descends by steps in proportion to those before, so that a learning rate of 1 suits any unit:
 *
 *     g ← ∂L/∂p + λ p
 *     v ← ρ v + (1 − ρ) g²
 *     d ← √(u + ε) / √(v + ε) · g
 *     u ← ρ u + (1 − ρ) d²
 *     p ← p − learningRate · d
 *
 * starting at v = u = 0. Source: Zeiler 2012, "ADADELTA: An adaptive learning rate method",
 * Algorithm 1, in PyTorch's form, which has a learning rate beside.
 * @throws GradusError for an option out of its range.
 * @example new Adadelta(model.parameters(), { learningRate: 1 });
 */
export class Adadelta extends Optimizer {
  readonly rho: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly #squares: readonly State[];
  readonly #moves: readonly State[];

  constructor(parameters: Parameters, options: AdadeltaOptions, ...surplus: never[]) {
    checkOptions("Adadelta", options, OPTIONS, surplus);
    const { rho = 0.9, epsilon = 1e-6, weightDecay = 0 } = options;
    checkDecay("Adadelta", { rho });
    checkPositive("Adadelta", { epsilon });
    checkNotNegative("Adadelta", { weightDecay });
    super(parameters, options, "Adadelta");
    this.rho = rho;
    this.epsilon = epsilon;
    this.weightDecay = weightDecay;
    this.#squares = this.makeSlots("square");
    this.#moves = this.makeSlots("squaredMove");
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { rate, rho, epsilon } = this;
    return this.parameters.flatMap((p, i): Assignment[] => {
      const g = penalized(gradients[i], p, this.weightDecay);
      const [squares, moves] = [this.#squares[i], this.#moves[i]];
      const v = averaged(squares, square(g), rho);
      const d = mul(div(sqrt(add(moves, epsilon)), sqrt(add(v, epsilon))), g);
      return [
        [squares, v],
        [moves, averaged(moves, square(d), rho)],
        [p, sub(p, mul(d, rate))],
      ];
    });
  }
}
