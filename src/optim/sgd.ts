import { GradusError } from "../core/errors.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { checkNotNegative } from "./check.ts";
import { type Assignment, Optimizer, type OptimizerOptions, type Parameters } from "./optimizer.ts";

/** Options of `SGD`. */
export interface SGDOptions extends OptimizerOptions {
  /** μ, from 0 (none, when left out). */
  momentum?: number;
  /** Whether the step looks ahead along the momentum; false when left out. */
  nesterov?: boolean;
  /** λ of the penalty λ/2 ‖p‖², from 0 (none, when left out). */
  weightDecay?: number;
}

/**
 * Descends along the gradient, with momentum if asked for:
 *
 *     g ← ∂L/∂p + λ p
 *     v ← μ v + g
 *     p ← p − learningRate · v          (nesterov: p ← p − learningRate · (g + μ v))
 *
 * starting at v = 0. Source: Sutskever et al. 2013, "On the importance of initialization and
 * momentum in deep learning", in PyTorch's form, in which the learning rate stays out of v.
 * @example new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 });
 */
export class SGD extends Optimizer {
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  readonly #velocities: readonly State[];

  constructor(parameters: Parameters, options: SGDOptions) {
    const { momentum = 0, nesterov = false, weightDecay = 0 } = options;
    checkNotNegative("SGD", "momentum", momentum);
    checkNotNegative("SGD", "weightDecay", weightDecay);
    if (nesterov && momentum === 0) {
      throw new GradusError("SGD: nesterov with momentum 0; expected a momentum above 0");
    }
    super(parameters, options);
    this.momentum = momentum;
    this.nesterov = nesterov;
    this.weightDecay = weightDecay;
    this.#velocities = momentum > 0 ? this.makeSlots("momentum") : [];
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { rate } = this;
    return this.parameters.flatMap((p, i): Assignment[] => {
      const g = this.weightDecay > 0 ? add(gradients[i], mul(p, this.weightDecay)) : gradients[i];
      const slot = this.#velocities[i];
      if (!slot) return [[p, sub(p, mul(g, rate))]];
      const v = add(mul(slot, this.momentum), g);
      const direction = this.nesterov ? add(g, mul(v, this.momentum)) : v;
      return [
        [slot, v],
        [p, sub(p, mul(direction, rate))],
      ];
    });
  }
}
