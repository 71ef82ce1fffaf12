import { checkNotNegative, checkOptions, type Known } from "../core/check.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, mul, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { pow } from "../ops/pow.ts";
import { packScalars, penalized } from "./formulas.ts";
import {
  type Assignment,
  OPTIMIZER_OPTIONS,
  Optimizer,
  type OptimizerOptions,
  type Parameters,
} from "./optimizer.ts";

/** Options of `ASGD`. */
export interface ASGDOptions extends OptimizerOptions {
  /** λ, how fast parameters and steps fade, from 0; 1e-4 when left out. */
  lambda?: number;
  /** α, the power by which steps fade, from 0; 0.75 when left out. */
  alpha?: number;
  /** t₀, the number of the step behind which the average begins, from 0; 1e6 when left out. */
  start?: number;
  /** Of the penalty ½ weightDecay ‖p‖², from 0 (none, when left out). */
  weightDecay?: number;
}

const OPTIONS: Known<ASGDOptions> = {
  ...OPTIMIZER_OPTIONS,
  lambda: true,
  alpha: true,
  start: true,
  weightDecay: true,
};

/**
 * Descends by steps that fade, and keeps the average of the parameters behind step t₀, which is
 * nearer to the least loss than the last of them:
 *
 *     g ← ∂L/∂p + weightDecay p
 *     η = learningRate / (1 + λ learningRate t)^α
 *     p ← (1 − λ η) p − η g
 *     a ← a + μ (p − a),   μ = 1 / max(1, t − t₀)
 *
 * starting at t = 0. The averages are slots, `w.average` of `w` in `state()`. Source: Polyak & Juditsky
 * 1992, "Acceleration of stochastic approximation by averaging", in PyTorch's form.
 * @throws GradusError for an option out of its range.
 * @example new ASGD(model.parameters(), { learningRate: 0.01, start: 1000 });
 */
export class ASGD extends Optimizer {
  readonly lambda: number;
  readonly alpha: number;
  readonly start: number;
  readonly weightDecay: number;
  readonly #averages: readonly State[];

  constructor(parameters: Parameters, options: ASGDOptions, ...surplus: never[]) {
    checkOptions("ASGD", options, OPTIONS, surplus);
    const { lambda = 1e-4, alpha = 0.75, start = 1e6, weightDecay = 0 } = options;
    checkNotNegative("ASGD", { lambda, alpha, start, weightDecay });
    super(parameters, options, "ASGD");
    this.lambda = lambda;
    this.alpha = alpha;
    this.start = start;
    this.weightDecay = weightDecay;
    this.#averages = this.makeSlots("average");
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { rate, lambda } = this;
    const t = cast(this.counter, this.parameters[0].dtype);
    const eta = div(rate, pow(add(mul(mul(rate, t), lambda), 1), this.alpha));
    const mu = div(1, maximum(sub(t, this.start), 1));
    const scalars = packScalars([eta, sub(1, mul(eta, lambda)), mu]);
    return this.parameters.flatMap((p, i): Assignment[] => {
      const [step, kept, share] = scalars(p);
      const g = penalized(gradients[i], p, this.weightDecay);
      const next = sub(mul(p, kept), mul(g, step));
      const slot = this.#averages[i];
      return [
        [slot, add(slot, mul(sub(next, slot), share))],
        [p, next],
      ];
    });
  }
}
