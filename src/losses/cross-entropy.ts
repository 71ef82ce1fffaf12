import { isFloat } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { mul, neg } from "../ops/arithmetic.ts";
import { sum } from "../ops/broadcast.ts";
import { cast } from "../ops/cast.ts";
import { notEqual } from "../ops/compare.ts";
import { oneHot } from "../ops/creation.ts";
import { logSoftmax } from "../ops/softmax.ts";
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
  const logProbabilities = logSoftmax(logits, { axis: 1 });
  const terms = isFloat(targets.dtype)
    ? weighted(cast(targets, logits.dtype), logProbabilities)
    : where(oneHot(targets, logits.shape[1], { dtype: "bool" }), logProbabilities, 0);
  return reduceLosses("crossEntropy", neg(sum(terms, { axis: 1 })), options);
}

/** t · log p, and 0 where t is 0 even if log p is −∞. */
function weighted(targets: Tensor, logProbabilities: Tensor): Tensor {
  return where(notEqual(targets, 0), mul(targets, logProbabilities), 0);
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
