import { checkOptions } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, mul, square, sub } from "../ops/arithmetic.ts";
import { greater, logicalAnd } from "../ops/compare.ts";
import { sum } from "../ops/reduce.ts";
import { sqrt } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import {
  ADAPTIVE_OPTIONS,
  AdaptiveMoments,
  type AdaptiveMomentsOptions,
} from "./adaptive-moments.ts";
import { biasCorrection, packScalars, penalized } from "./formulas.ts";
import type { Assignment, Parameters } from "./optimizer.ts";

/** Options of `LAMB`; its ε is 1e-6 when left out. */
export type LAMBOptions = AdaptiveMomentsOptions;

/**
 * Descends along `Adam`'s direction, for each parameter by a length in proportion to its norm, as
 * suits very large batches:
 *
 *     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
 *     u = m̂ / (√v̂ + ε) + λ p,   m̂ = m / (1 − β₁ᵗ),   v̂ = v / (1 − β₂ᵗ)
 *     p ← p − learningRate · ‖p‖ / ‖u‖ · u
 *
 * starting at m = v = 0 and t = 1; the ratio is 1 where one of the norms is 0. Source: You et al.
 * 2020, "Large batch optimization for deep learning: Training BERT in 76 minutes", Algorithm 2 with
 * φ(z) = z.
 * @throws GradusError for an option out of its range.
 * @example new LAMB(model.parameters(), { learningRate: 0.002, weightDecay: 0.01 });
 */
export class LAMB extends AdaptiveMoments {
  constructor(parameters: Parameters, options: LAMBOptions, ...surplus: never[]) {
    checkOptions<LAMBOptions>("LAMB", options, ADAPTIVE_OPTIONS, surplus);
    super("LAMB", parameters, { ...options, epsilon: options.epsilon ?? 1e-6 });
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { rate, time, weightDecay } = this;
    const scalars = packScalars([
      biasCorrection(this.beta1, time),
      sqrt(biasCorrection(this.beta2, time)),
    ]);
    return this.parameters.flatMap((p, i): Assignment[] => {
      const [scale, root] = scalars(p);
      const { m, v, next } = this.moments(i, gradients[i]);
      const adapted = div(div(m, scale), add(div(sqrt(v), root), this.epsilon));
      const u = penalized(adapted, p, weightDecay);
      return [...next, [p, sub(p, mul(u, mul(rate, trustRatio(p, u))))]];
    });
  }
}

/** ‖p‖ / ‖u‖, or 1 where one of them is 0. */
function trustRatio(p: Tensor, u: Tensor): Tensor {
  const [ofP, ofU] = [sqrt(sum(square(p))), sqrt(sum(square(u)))];
  const isMoved = greater(ofU, 0);
  return where(logicalAnd(greater(ofP, 0), isMoved), div(ofP, where(isMoved, ofU, 1)), 1);
}
