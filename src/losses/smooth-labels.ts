import { checkSizes } from "../core/check.ts";
import { isFloat } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { checkArguments, type Tensor } from "../graph/tensor.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { oneHot } from "../ops/creation.ts";
import { sum } from "../ops/reduce.ts";
import { checkRange } from "./check.ts";

/**
 * Turns labels or probabilities into soft targets (1 − ε) t + ε/c (Szegedy et al. 2016,
 * "Rethinking the Inception Architecture for Computer Vision", section 7).
 * @param targets integer labels of any shape, or probabilities with classes along the last axis.
 * @param classes c, from 1.
 * @param epsilon ε in [0, 1].
 * @returns floats, with an axis of size c in the end; zeros for a label outside `[0, c)`.
 * @throws ShapeError or GradusError for other sizes and ε.
 * @example crossEntropy(logits, smoothLabels(labels, 10, 0.1));
 */
export function smoothLabels(
  targets: Tensor,
  classes: number,
  epsilon: number,
  ...surplus: never[]
): Tensor {
  checkArguments("smoothLabels(targets, classes, epsilon)", [targets], surplus);
  checkSizes("smoothLabels", { classes });
  const isLabel = !isFloat(targets.dtype);
  if (!isLabel && targets.shape.at(-1) !== classes) {
    throw new ShapeError(
      `smoothLabels: targets ${formatShape(targets.shape)}; expected ${classes} classes last`,
    );
  }
  checkRange("smoothLabels", "epsilon", epsilon, 0, 1);
  return smoothed(isLabel ? oneHot(targets, classes) : targets, epsilon, isLabel);
}

/** (1 − ε) t + ε/c; where t are labels as one-hot rows, one of zeros stays so. */
export function smoothed(t: Tensor, epsilon: number, isLabel: boolean): Tensor {
  if (epsilon === 0) return t;
  const share = epsilon / t.shape[t.rank - 1];
  const rest = isLabel ? mul(sum(t, { axis: -1, keepDims: true }), share) : share;
  return add(mul(t, 1 - epsilon), rest);
}
