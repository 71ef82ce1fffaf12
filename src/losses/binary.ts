import { checkNotNegative, checkOptions, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { customGrad } from "../graph/custom-grad.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, mul, neg, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { equal, lessEqual } from "../ops/compare.ts";
import { matched } from "../ops/targets.ts";
import { abs, log, log1p, softplus } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { checkTensorOption } from "./check.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";

/**
 * Computes −(t ln p + (1 − t) ln(1 − p)) of each element from probabilities p (Bishop 2006,
 * "Pattern Recognition and Machine Learning", eq. 4.90). Logarithms are taken as at least −100 and
 * the gradient's p (1 − p) as at least 1e-12, so that both are finite at p = 0 and 1.
 * @param p in [0, 1], f32 or f64. From logits, `binaryCrossEntropyWithLogits` keeps more digits.
 * @param target in [0, 1], of the same shape, in any dtype.
 * @throws ShapeError when the shapes differ.
 * @example binaryCrossEntropy(sigmoid(logits), target);
 */
export function binaryCrossEntropy(
  p: Tensor,
  target: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("binaryCrossEntropy", options, LOSS_OPTIONS, surplus);
  const losses = customGrad(
    (q: Tensor, t: Tensor) => {
      const [yes, no] = logarithms(q);
      return neg(add(mul(t, yes), mul(sub(1, t), no)));
    },
    (g, _, q, t) => {
      // dp = g (p − t) / (p (1 − p)), dt = g (ln(1 − p) − ln p)
      const [yes, no] = logarithms(q);
      const slope = div(sub(q, t), maximum(mul(q, sub(1, q)), 1e-12));
      return [mul(g, slope), mul(g, sub(no, yes))];
    },
  );
  const t = matched("binaryCrossEntropy", p, target);
  return reduceLosses("binaryCrossEntropy", losses(p, t), options);
}

/** Where a logarithm is −100. */
const LEAST = Math.exp(-100);

/** ln p and ln(1 − p), at least −100, without a slope at p = 0 and at p = 1. */
function logarithms(p: Tensor): [Tensor, Tensor] {
  const [none, all] = [lessEqual(abs(p), LEAST), equal(p, 1)];
  const yes = where(none, -100, log(where(none, 1, p)));
  return [yes, where(all, -100, log1p(neg(where(all, 0, p))))];
}

/** Options of `binaryCrossEntropyWithLogits`. */
export interface BinaryOptions extends LossOptions {
  /** What positive targets count, for all or along the last axes; 1 when left out. */
  posWeight?: number | Tensor;
}

const BINARY_OPTIONS: Known<BinaryOptions> = { ...LOSS_OPTIONS, posWeight: "number" };

/**
 * Computes w t softplus(−z) + (1 − t) softplus(z) of each element: the binary cross-entropy of
 * p = σ(z), where positives count w. Values and gradients keep their digits for logits of any size.
 * @param z logits of any shape, f32 or f64.
 * @param target in [0, 1], of the same shape, in any dtype.
 * @throws ShapeError when the shapes differ.
 * @example binaryCrossEntropyWithLogits(logits, target, { posWeight: 3 });
 */
export function binaryCrossEntropyWithLogits(
  z: Tensor,
  target: Tensor,
  options: BinaryOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<BinaryOptions>("binaryCrossEntropyWithLogits", options, BINARY_OPTIONS, surplus);
  const op = "binaryCrossEntropyWithLogits";
  const t = matched(op, z, target);
  const { posWeight = 1 } = options;
  if (typeof posWeight === "number") checkNotNegative(op, { posWeight });
  else checkLastAxes(op, posWeight, z);
  const weight = typeof posWeight === "number" ? posWeight : cast(posWeight, z.dtype);
  return reduceLosses(op, logitLosses(z, t, mul(t, weight)), options);
}

/** positive · softplus(−z) + (1 − t) softplus(z). */
export function logitLosses(z: Tensor, t: Tensor, positive = t): Tensor {
  return add(mul(positive, softplus(neg(z))), mul(sub(1, t), softplus(z)));
}

function checkLastAxes(op: string, posWeight: Tensor, z: Tensor): void {
  checkTensorOption(op, "posWeight", posWeight);
  const { rank } = posWeight;
  if (rank <= z.rank && sameShape(posWeight.shape, z.shape.slice(z.rank - rank))) return;
  throw new ShapeError(
    `${op}: posWeight ${formatShape(posWeight.shape)} with logits ${formatShape(z.shape)}; ` +
      "expected a number or the sizes of the last axes",
  );
}
