import { checkNotNegative, checkOptions, type Known } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { penalized } from "./formulas.ts";
import {
  type Assignment,
  OPTIMIZER_OPTIONS,
  Optimizer,
  type OptimizerOptions,
  type Parameters,
} from "./optimizer.ts";

/** Options of `SGD`. */
export interface SGDOptions extends OptimizerOptions {
  /** μ, from 0 (none, when left out). */
  momentum?: number;
  /** τ, how much of each gradient stays out of the momentum, from 0 (none, when left out). */
  dampening?: number;
  /** Whether the step looks ahead along the momentum; false when left out. */
  nesterov?: boolean;
  /** λ of the penalty λ/2 ‖p‖², from 0 (none, when left out). */
  weightDecay?: number;
}

const OPTIONS: Known<SGDOptions> = {
  ...OPTIMIZER_OPTIONS,
  momentum: true,
  dampening: true,
  nesterov: "boolean",
  weightDecay: true,
};

/**
 * Descends along the gradient, with momentum if asked for:
 *
 *     g ← ∂L/∂p + λ p
 *     v ← μ v + (1 − τ) g
 *     p ← p − learningRate · v          (nesterov: p ← p − learningRate · (g + μ v))
 *
 * starting at v = 0. With no dampening τ this is the heavy ball, v ← μ v + g; with τ = μ it is
 * the exponentially weighted mean v ← μ v + (1 − μ) g, which moves as a heavy ball does whose
 * learning rate is 1 − μ as large. Source: Sutskever et al. 2013, "On the importance of
 * initialization and momentum in deep learning", in PyTorch's form, in which the learning rate stays
 * out of v; PyTorch leaves the first gradient undamped, here all are treated alike.
 * @throws GradusError for an option out of its range, or nesterov without momentum or with dampening.
 * @example new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 });
 * @example new SGD(model.parameters(), { learningRate: 1, momentum: 0.9, dampening: 0.9 });
 */
export class SGD extends Optimizer {
  readonly momentum: number;
  readonly dampening: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  readonly #velocities: readonly State[];

  constructor(parameters: Parameters, options: SGDOptions, ...surplus: never[]) {
    checkOptions("SGD", options, OPTIONS, surplus);
    const { momentum = 0, dampening = 0, nesterov = false, weightDecay = 0 } = options;
    checkNotNegative("SGD", { momentum, dampening, weightDecay });
    if (nesterov && momentum === 0) {
      throw new GradusError("SGD: nesterov with momentum 0; expected a momentum above 0");
    }
    super(parameters, options, "SGD");
    this.momentum = momentum;
    this.dampening = dampening;
    this.nesterov = nesterov;
    this.weightDecay = weightDecay;
    this.isRowwise = momentum + weightDecay === 0;
    this.#velocities = momentum > 0 ? this.makeSlots("momentum") : [];
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { rate } = this;
    return this.parameters.flatMap((p, i): Assignment[] => {
      const g = penalized(gradients[i], p, this.weightDecay);
      const slot = this.#velocities[i];
      const damped = slot ? mul(g, 1 - this.dampening) : g;
      const v = slot ? add(mul(slot, this.momentum), damped) : g;
      const direction = this.nesterov ? add(damped, mul(v, this.momentum)) : v;
      const next: Assignment = [p, sub(p, mul(direction, rate))];
      return slot ? [[slot, v], next] : [next];
    });
  }
}
