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
  checkClasses("crossEntropy", logits, targets);
  return reduceLosses("crossEntropy", rowLosses(logits, targets), options);
}

/** What targets make of the formula. */
interface Terms {
  /** L of each example, `[n]`. */
  readonly losses: Tensor;
  /** t of the formula, `[n, c]`. */
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
  const { dtype, device, shape } = logP;
  const [n, c] = shape;
  const labels = cast(targets, "i32");
  const inside = logicalAnd(greaterEqual(labels, 0), less(labels, c));
  const starts = mul(arange(n, undefined, 1, { dtype: "i32", device }), c);
  const chosen = gather(reshape(logP, [n * c]), add(starts, where(inside, labels, 0)));
  return {
    losses: where(inside, neg(chosen), 0),
    t: oneHot(labels, c, { dtype }),
    total: cast(reshape(inside, [n, 1]), dtype),
  };
}

/** The loss of each example, `[n]`, of checked arguments. */
export function rowLosses(logits: Tensor, targets: Tensor): Tensor {
  const logP = logSoftmax(logits, { axis: 1 });
  const { losses, t, total } = (isFloat(targets.dtype) ? ofProbabilities : ofLabels)(targets, logP);
  // dz = g (p Σt − t), dt = −g log p; the way through logSoftmax would take two reductions more.
  const rule = (g: Tensor): Tensor[] => {
    const column = expandDims(g, 1);
    return [mul(column, sub(mul(exp(logP), total), t)), neg(mul(column, logP))];
  };
  return customGrad((_logits: Tensor, _t: Tensor) => losses, rule)(logits, t);
}

/** Throws unless logits and targets are such as `crossEntropy` takes. */
export function checkClasses(op: string, logits: Tensor, targets: Tensor): void {
  const { dtype } = targets;
  const [n, c] = logits.shape;
  const shape = isFloat(dtype) ? [n, c] : [n];
  if (logits.rank === 2 && dtype !== "bool" && sameShape(targets.shape, shape)) return;
  throw new (dtype === "bool" ? DTypeError : ShapeError)(
    `${op}: logits ${formatShape(logits.shape)} with ${dtype} targets ` +
      `${formatShape(targets.shape)}; expected [n, c] with integers [n] or floats [n, c]`,
  );
}
