import { isFloat } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { customGrad } from "../graph/custom-grad.ts";
import type { Tensor } from "../graph/tensor.ts";
import { mul, neg, sub } from "../ops/arithmetic.ts";
import { sum } from "../ops/broadcast.ts";
import { cast } from "../ops/cast.ts";
import { greaterEqual, less, logicalAnd, notEqual } from "../ops/compare.ts";
import { oneHot } from "../ops/creation.ts";
import { expandDims, reshape } from "../ops/reshape.ts";
import { logSoftmax } from "../ops/softmax.ts";
import { exp } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { type LossOptions, reduceLosses } from "./reduction.ts";

/**
 * Computes the cross-entropy of targets t relative to softmax(z), in nats, from logits z:
 * L = −Σᵢ tᵢ log softmax(z)ᵢ (Bishop 2006, "Pattern Recognition and Machine Learning", eq. 4.108).
 *
 * It is stable for logits of any size; a logit of −∞ masks its class. A label outside `[0, c)`
 * contributes 0 and no gradient, since the device cannot throw.
 * @param logits `[n, c]`, f32 or f64.
 * @param targets integer labels `[n]` (i32, u32 or u8), or probabilities `[n, c]` (one-hot or soft).
 * @throws ShapeError or DTypeError for other shapes and dtypes.
 * @example crossEntropy(model.call(images), labels);
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  check(logits, targets);
  const weights = isFloat(targets.dtype)
    ? ofProbabilities(targets, logits)
    : ofLabels(targets, logits);
  return reduceLosses("crossEntropy", rowLosses(logits, weights), options);
}

/** How much each class of an example counts: t of the formula. */
interface Weights {
  /** `[n, c]`, a bool where each is 0 or 1. */
  readonly t: Tensor;
  /** Σᵢ tᵢ, `[n, 1]`. */
  readonly total: Tensor;
}

function ofProbabilities(targets: Tensor, { dtype }: Tensor): Weights {
  const t = cast(targets, dtype);
  return { t, total: sum(t, { axis: 1, keepDims: true }) };
}

function ofLabels(targets: Tensor, { dtype, shape: [n, c] }: Tensor): Weights {
  const labels = targets.dtype === "u8" ? cast(targets, "u32") : targets;
  const inside = logicalAnd(greaterEqual(labels, 0), less(labels, c));
  return { t: oneHot(labels, c, { dtype: "bool" }), total: cast(reshape(inside, [n, 1]), dtype) };
}

function rowLosses(logits: Tensor, { t, total }: Weights): Tensor {
  const logP = logSoftmax(logits, { axis: 1 });
  const isLabel = t.dtype === "bool";
  // A term counts only where t is not 0, since 0 · −∞ is NaN.
  const terms = isLabel ? where(t, logP, 0) : where(notEqual(t, 0), mul(t, logP), 0);
  const losses = neg(sum(terms, { axis: 1 }));
  // dz = g (p Σt − t), dt = −g log p; the way through logSoftmax would take two reductions more.
  const rule = (g: Tensor): (Tensor | null)[] => {
    const column = expandDims(g, 1);
    const dz = mul(column, sub(mul(exp(logP), total), cast(t, logP.dtype)));
    return [dz, isLabel ? null : neg(mul(column, logP))];
  };
  return customGrad((_logits: Tensor, _t: Tensor) => losses, rule)(logits, t);
}

function check(logits: Tensor, targets: Tensor): void {
  if (logits.rank !== 2) {
    throw new ShapeError(`crossEntropy: logits ${formatShape(logits.shape)}; expected [n, c]`);
  }
  if (targets.dtype === "bool") {
    throw new DTypeError(
      "crossEntropy: targets have dtype bool; expected i32, u32 or u8 labels, or f32 " +
        "probabilities. cast them",
    );
  }
  const [n, c] = logits.shape;
  const shape = isFloat(targets.dtype) ? [n, c] : [n];
  if (!sameShape(targets.shape, shape)) {
    throw new ShapeError(
      `crossEntropy: logits ${formatShape(logits.shape)} with ${targets.dtype} targets ` +
        `${formatShape(targets.shape)}; expected integer labels [${n}] or float ` +
        `probabilities [${n}, ${c}]`,
    );
  }
}
