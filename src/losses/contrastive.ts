import { checkOptions, checkPositive, type Known } from "../core/check.ts";
import { isFloat } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { mul, square, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { l2Norm } from "../ops/l2-normalize.ts";
import { sum } from "../ops/reduce.ts";
import { relu } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { checkEmbeddings } from "./check.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";

/** Options of `contrastive`. */
export interface ContrastiveOptions extends LossOptions {
  /** m, the distance from which on different pairs cost nothing, above 0; 1 when left out. */
  margin?: number;
}

const CONTRASTIVE_OPTIONS: Known<ContrastiveOptions> = { ...LOSS_OPTIONS, margin: "number" };

/**
 * Computes the contrastive loss of pairs with D = ‖a − b‖: ½D² of those that are the same and
 * ½ max(0, m − D)² of others (Hadsell, Chopra & LeCun 2006, "Dimensionality reduction by learning
 * an invariant mapping", eq. 4, where Y = 0 says that a pair is the same, as true does here).
 *
 * Both roots and squares are right for distances of 1e-36 to 1e18 in f32. A different pair at
 * D = 0 costs ½m² and has no direction to part in, so that its gradient is 0.
 * @param a `[n, features]`, f32 or f64.
 * @param b as `a`.
 * @param same `[n]`, whether each pair is the same: bools, or integers that are 0 for false.
 * @throws ShapeError or DTypeError for others, GradusError for a margin out of its range.
 * @example contrastive(net.call(left), net.call(right), equal(leftLabels, rightLabels));
 */
export function contrastive(
  a: Tensor,
  b: Tensor,
  same: Tensor,
  options: ContrastiveOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("contrastive", options, CONTRASTIVE_OPTIONS, surplus);
  const { margin = 1 } = options;
  checkEmbeddings("contrastive", [a, b]);
  checkSame(same, a.shape[0]);
  checkPositive("contrastive", { margin });
  const apart = sub(a, b);
  const near = sum(square(apart), { axis: 1 });
  const far = square(relu(sub(margin, l2Norm(apart, { axis: 1 }))));
  return reduceLosses("contrastive", mul(where(cast(same, "bool"), near, far), 0.5), options);
}

function checkSame(same: Tensor, n: number): void {
  checkTensors("contrastive", [same]);
  if (isFloat(same.dtype)) {
    throw new DTypeError(`contrastive: same has dtype ${same.dtype}; expected bool or integers`);
  }
  if (sameShape(same.shape, [n])) return;
  throw new ShapeError(
    `contrastive: same ${formatShape(same.shape)}; expected [${n}], one for each pair`,
  );
}
