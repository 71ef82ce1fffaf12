import { checkDecay, checkOptions } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, type Shape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { DROPOUT, Dropout, type DropoutOptions } from "./dropout.ts";

/**
 * Sets whole examples to 0 with probability `rate` in training mode, as `Dropout` does elements, and
 * divides the others by 1 − rate: at the end of a residual branch it leaves the branch out, so that a
 * deep net trains as many shallower ones. Also called stochastic depth.
 * Source: Huang et al. 2016, "Deep networks with stochastic depth", in the form of timm's `DropPath`
 * and torchvision's `StochasticDepth` of mode `row`.
 * @throws GradusError unless 0 ≤ rate < 1; ShapeError, when it is called, for a scalar.
 * @example
 * class Block extends Module {
 *   linear = new Linear(8, 8);
 *   path = new DropPath(0.1, { seed: 1 });
 *   forward(x: Tensor) {
 *     return add(x, this.path.call(relu(this.linear.call(x))));
 *   }
 * }
 */
export class DropPath extends Dropout {
  constructor(rate: number, options: DropoutOptions = {}, ...surplus: never[]) {
    checkOptions("DropPath", options, DROPOUT, surplus);
    checkDecay("DropPath", { rate });
    super(rate, options);
  }

  protected override maskOf(x: Tensor): Shape {
    if (x.rank === 0) {
      throw new ShapeError(`DropPath: input ${formatShape(x.shape)}; expected [n, …]`);
    }
    return x.shape.map((n, axis) => (axis === 0 ? n : 1));
  }
}
