import { isFloat } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { customGrad } from "../graph/custom-grad.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul, neg, sub } from "../ops/arithmetic.ts";
import { sum } from "../ops/broadcast.ts";
import { cast } from "../ops/cast.ts";
import { greaterEqual, less, logicalAnd, notEqual } from "../ops/compare.ts";
import { arange, oneHot } from "../ops/creation.ts";
import { gather } from "../ops/gather.ts";
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
  return reduceLosses("crossEntropy", rowLosses(logits, targets), options);
}

/** log softmax(z) and what the targets make of it. */
interface Terms {
  /** L of each example, `[n]`. */
  readonly losses: Tensor;
  /** t of the formula, `[n, c]`, in any dtype. */
  readonly t: Tensor;
  /** Σᵢ tᵢ, `[n, 1]`. */
  readonly total: Tensor;
}

function ofProbabilities(targets: Tensor, logP: Tensor): Terms {
  const t = cast(targets, logP.dtype);
  // A term counts only where t is not 0, since 0 · −∞ is NaN.
  const terms = where(notEqual(t, 0), mul(t, logP), 0);
  return { losses: neg(sum(terms, { axis: 1 })), t, total: sum(t, { axis: 1, keepDims: true }) };
}

function ofLabels(targets: Tensor, logP: Tensor): Terms {
  const [n, c] = logP.shape;
  const labels = targets.dtype === "i32" ? targets : cast(targets, "i32");
  const inside = logicalAnd(greaterEqual(labels, 0), less(labels, c));
  const starts = mul(arange(n, undefined, 1, { dtype: "i32", device: logP.device }), c);
  const chosen = gather(reshape(logP, [n * c]), add(starts, where(inside, labels, 0)));
  return {
    losses: where(inside, neg(chosen), 0),
    t: oneHot(labels, c, { dtype: "bool" }),
    total: cast(reshape(inside, [n, 1]), logP.dtype),
  };
}

function rowLosses(logits: Tensor, targets: Tensor): Tensor {
  const logP = logSoftmax(logits, { axis: 1 });
  const isLabel = !isFloat(targets.dtype);
  const { losses, t, total } = (isLabel ? ofLabels : ofProbabilities)(targets, logP);
  // dz = g (p Σt − t), dt = −g log p; the way through logSoftmax would take two reductions more.
  const rule = (g: Tensor): (Tensor | null)[] => {
    const column = expandDims(g, 1);
    const dz = mul(column, sub(mul(exp(logP), total), cast(t, logP.dtype)));
    return [dz, isLabel ? null : cast(neg(mul(column, logP)), targets.dtype)];
  };
  return customGrad((_logits: Tensor, _targets: Tensor) => losses, rule)(logits, targets);
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
