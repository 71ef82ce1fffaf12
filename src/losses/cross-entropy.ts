import { checkIntegers, checkOptions } from "../core/check.ts";
import { isFloat } from "../core/dtype.ts";
import { GradusError } from "../core/errors.ts";
import { customGrad } from "../graph/custom-grad.ts";
import type { Tensor } from "../graph/tensor.ts";
import { mul, neg, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { classLabels } from "../ops/class-labels.ts";
import { equal, greaterEqual, less, logicalAnd } from "../ops/compare.ts";
import { hotRows } from "../ops/creation.ts";
import { pick } from "../ops/pick.ts";
import { sum } from "../ops/reduce.ts";
import { expandDims, reshape } from "../ops/reshape.ts";
import { logSoftmax } from "../ops/softmax.ts";
import { exp } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { checkClasses, checkClassWeights, checkRange, unmasked } from "./check.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";
import { smoothed } from "./smooth-labels.ts";

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends LossOptions {
  /** ε in [0, 1]: targets become (1 − ε) t + ε/c; 0 when left out. */
  labelSmoothing?: number;
  /** w, what each class counts, `[c]`; 1 when left out. */
  classWeights?: Tensor;
  /** A label that stands for none: it contributes nothing, and the mean leaves it out. */
  ignoreIndex?: number;
}

const OPTIONS = {
  ...LOSS_OPTIONS,
  labelSmoothing: true,
  classWeights: true,
  ignoreIndex: true,
} as const;

/**
 * Computes the cross-entropy of targets t relative to softmax(z), in nats, from logits z:
 * L = −Σᵢ wᵢ tᵢ log softmax(z)ᵢ (Bishop 2006, "Pattern Recognition and Machine Learning", eq. 4.108),
 * with class weights w and smoothed targets t if asked for (Szegedy et al. 2016, "Rethinking the
 * Inception Architecture for Computer Vision", section 7).
 *
 * It is stable for logits of any size; a logit of −∞ masks its class. A label outside `[0, c)` that
 * is not ignored is an error on the CPU device; WebGPU cannot throw, and there it contributes 0 and
 * no gradient.
 *
 * With class weights or an ignored label, the mean over labels divides by Σ w of those that are not
 * ignored, as PyTorch does, and is 0 with the gradient 0 where that is 0, as in Keras. Otherwise it
 * divides by n, and of no examples it is NaN.
 * @param logits `[n, c]`, f32 or f64.
 * @param targets integer labels `[n]` (i32, u32 or storage of integers), or probabilities `[n, c]` (one-hot or soft).
 * @throws ShapeError, DTypeError or GradusError for other shapes, dtypes and options.
 * @example crossEntropy(model.call(images), labels);
 * @example crossEntropy(logits, labels, { labelSmoothing: 0.1, ignoreIndex: 255 });
 */
export function crossEntropy(
  logits: Tensor,
  targets: Tensor,
  options: CrossEntropyOptions = {},
  ...surplus: never[]
): Tensor {
  const op = "crossEntropy";
  checkOptions<CrossEntropyOptions>(op, options, OPTIONS, surplus);
  checkClasses(op, logits, targets);
  const { labelSmoothing = 0, classWeights, ignoreIndex = null } = options;
  const { dtype, shape } = logits;
  const isLabel = !isFloat(targets.dtype);
  checkRange(op, "labelSmoothing", labelSmoothing, 0, 1);
  if (classWeights !== undefined) checkClassWeights(op, "classWeights", classWeights, shape[1]);
  checkIgnored(op, ignoreIndex, isLabel);
  const logP = logSoftmax(logits, { axis: 1 });
  const weigh = (t: Tensor) => (classWeights ? mul(t, cast(classWeights, dtype)) : t);
  const soft = (t: Tensor) => ofSoft(weigh(smoothed(t, labelSmoothing, isLabel)), logP);
  const reduce = (terms: Terms, count?: Tensor) =>
    reduceLosses(op, rowLosses(logits, logP, terms), options, count);
  if (!isLabel) return reduce(soft(cast(targets, dtype)));
  const labels = labelsOrNone(op, targets, shape[1], ignoreIndex);
  const hot = hotRows(labels, shape[1], dtype);
  const isPlain = labelSmoothing === 0 && !classWeights;
  const terms = isPlain ? ofLabels(labels, hot, logP) : soft(hot);
  if (!classWeights && ignoreIndex === null) return reduce(terms);
  return reduce(terms, divisor(sum(isPlain ? terms.total : weigh(hot))));
}

/** What the mean divides by: 1 where nothing counts, so that it is 0 and not NaN. */
function divisor(count: Tensor): Tensor {
  return where(equal(count, 0), 1, count);
}

function checkIgnored(op: string, label: number | null, isLabel: boolean): void {
  if (label === null) return;
  if (!isLabel) throw new GradusError(`${op}: ignoreIndex with probabilities; expected labels`);
  checkIntegers(op, { ignoreIndex: label });
}

/** Labels as i32, −1 for the ignored one. */
function labelsOrNone(
  op: string,
  targets: Tensor,
  classes: number,
  ignored: number | null,
): Tensor {
  const labels = classLabels(op, targets, classes, ignored);
  return ignored === null ? labels : where(equal(labels, ignored), -1, labels);
}

/** What targets make of the formula. */
interface Terms {
  /** L of each example, `[n]`. */
  readonly losses: Tensor;
  /** t of the formula, `[n, c]`. */
  readonly t: Tensor;
  /** Σᵢ tᵢ, `[n, 1]`. */
  readonly total: Tensor;
  /** −∂L/∂t, `[n, c]`; null where t are labels. */
  readonly slopes: Tensor | null;
}

function ofSoft(t: Tensor, logP: Tensor): Terms {
  const slopes = unmasked(t, logP);
  const losses = neg(sum(mul(t, slopes), { axis: 1 }));
  return { losses, t, total: sum(t, { axis: 1, keepDims: true }), slopes };
}

function ofLabels(labels: Tensor, t: Tensor, logP: Tensor): Terms {
  const { dtype, shape } = logP;
  const [n, c] = shape;
  const inside = logicalAnd(greaterEqual(labels, 0), less(labels, c));
  const losses = where(inside, neg(pick(logP, labels)), 0);
  return { losses, t, total: cast(reshape(inside, [n, 1]), dtype), slopes: null };
}

/** The loss of each example, `[n]`. */
function rowLosses(logits: Tensor, logP: Tensor, { losses, t, total, slopes }: Terms): Tensor {
  // dz = g (p Σt − t), dt = −g log p; the way through logSoftmax would take two reductions more.
  const rule = (g: Tensor) => {
    const column = expandDims(g, 1);
    const dt = slopes && neg(mul(column, slopes));
    return [mul(column, sub(mul(exp(logP), total), t)), dt];
  };
  return customGrad((_logits: Tensor, _t: Tensor) => losses, rule)(logits, t);
}
