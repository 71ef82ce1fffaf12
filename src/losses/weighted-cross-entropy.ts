import { isFloat } from "../core/dtype.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { sum } from "../ops/broadcast.ts";
import { cast } from "../ops/cast.ts";
import { equal } from "../ops/compare.ts";
import { oneHot } from "../ops/creation.ts";
import { where } from "../ops/where.ts";
import { checkClassWeights, checkRange, spreadClasses } from "./check.ts";
import { rowLosses } from "./cross-entropy.ts";
import { type LossOptions, reduceLosses } from "./reduction.ts";

/** Options of `weightedCrossEntropy`. */
export interface WeightedCrossEntropyOptions extends LossOptions {
  /** ε in [0, 1]: targets become (1 − ε) t + ε/c; 0 when left out. */
  labelSmoothing?: number;
  /** What each class counts, `[c]`; 1 when left out. */
  classWeights?: Tensor;
  /** A label that stands for none: it contributes nothing, and the mean leaves it out. */
  ignoreIndex?: number;
}

/**
 * Computes the cross-entropy from logits, −Σᵢ wᵢ tᵢ log softmax(z)ᵢ, with class weights w, smoothed
 * targets t (Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision",
 * section 7) and a label that is ignored; otherwise `crossEntropy`, which is quicker for labels.
 *
 * The mean over labels divides by Σ w of the labels (that are not ignored), as PyTorch does; over
 * probabilities, and without class weights and ignored label, by n.
 * @param logits `[n, c]`, f32 or f64.
 * @param targets integer labels `[n]` (i32, u32 or u8), or probabilities `[n, c]`.
 * @throws ShapeError, DTypeError or GradusError for other shapes, dtypes and options.
 * @example weightedCrossEntropy(logits, labels, { labelSmoothing: 0.1, ignoreIndex: 255 });
 */
export function weightedCrossEntropy(
  logits: Tensor,
  targets: Tensor,
  options: WeightedCrossEntropyOptions = {},
): Tensor {
  const op = "weightedCrossEntropy";
  const { labelSmoothing = 0, classWeights, ignoreIndex } = options;
  const isLabel = !isFloat(targets.dtype);
  if (ignoreIndex !== undefined && !isLabel) {
    throw new GradusError(`${op}: ignoreIndex with probabilities; expected labels`);
  }
  const kept = ignoreIndex === undefined ? targets : withoutLabel(targets, ignoreIndex);
  const hot = spreadClasses(op, logits, kept);
  if (classWeights) checkClassWeights(op, "classWeights", classWeights, logits.shape[1]);
  const weigh = (x: Tensor) => (classWeights ? mul(x, classWeights) : x);
  const t = weigh(smooth(op, hot, labelSmoothing, isLabel));
  const isCounted = isLabel && (classWeights || ignoreIndex !== undefined);
  const count = isCounted ? sum(weigh(hot)) : undefined;
  return reduceLosses(op, rowLosses(logits, t), options, count);
}

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
export function smoothLabels(targets: Tensor, classes: number, epsilon: number): Tensor {
  const isLabel = !isFloat(targets.dtype);
  if (!isLabel && targets.shape.at(-1) !== classes) {
    throw new ShapeError(
      `smoothLabels: targets ${formatShape(targets.shape)}; expected ${classes} classes last`,
    );
  }
  const t = isLabel ? oneHot(targets, classes) : targets;
  return smooth("smoothLabels", t, epsilon, isLabel);
}

function smooth(op: string, t: Tensor, epsilon: number, isLabel: boolean): Tensor {
  checkRange(op, "labelSmoothing", epsilon, 0, 1);
  if (epsilon === 0) return t;
  const share = epsilon / t.shape[t.rank - 1];
  // A label outside the classes stays a row of zeros.
  const rest = isLabel ? mul(sum(t, { axis: -1, keepDims: true }), share) : share;
  return add(mul(t, 1 - epsilon), rest);
}

function withoutLabel(targets: Tensor, label: number): Tensor {
  const labels = cast(targets, "i32");
  return where(equal(labels, label), -1, labels);
}
