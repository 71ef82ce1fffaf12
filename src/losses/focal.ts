import { checkOptions, type Known } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, maximum, mul, neg, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { pow } from "../ops/pow.ts";
import { sum } from "../ops/reduce.ts";
import { logSoftmax } from "../ops/softmax.ts";
import { matched } from "../ops/targets.ts";
import { expm1, sigmoid } from "../ops/unary.ts";
import { logitLosses } from "./binary.ts";
import { checkClassWeights, checkRange, spreadClasses, unmasked } from "./check.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";

/** Options of `focal`. */
export interface FocalOptions extends LossOptions {
  /** γ from 0: how much less well-classified examples count; 2 when left out. */
  gamma?: number;
  /** α: a factor for all, or one for each class, `[c]`; 1 when left out. */
  alpha?: number | Tensor;
}

const FOCAL_OPTIONS: Known<FocalOptions> = { ...LOSS_OPTIONS, gamma: "number", alpha: true };

/** xᵞ with a finite slope at 0 for any γ. */
function power(x: Tensor, gamma: number): Tensor {
  return pow(maximum(x, 1e-30), gamma);
}

/**
 * Computes −Σᵢ αᵢ tᵢ (1 − pᵢ)ᵞ ln pᵢ of each example from logits, p = softmax(z) (Lin et al. 2017,
 * "Focal Loss for Dense Object Detection", eq. 5, for c classes). With γ = 0 and α = 1 it is the
 * cross-entropy. It is stable for logits of any size; a label outside `[0, c)` is an error on the CPU
 * device; on WebGPU, which cannot throw, it contributes 0.
 * @param logits `[n, c]`, f32 or f64.
 * @param targets integer labels `[n]`, or probabilities `[n, c]`.
 * @throws ShapeError, DTypeError or GradusError for other shapes, dtypes and options.
 * @example focal(model.call(images), labels, { gamma: 2, alpha: 0.25 });
 */
export function focal(
  logits: Tensor,
  targets: Tensor,
  options: FocalOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<FocalOptions>("focal", options, FOCAL_OPTIONS, surplus);
  const { gamma = 2, alpha = 1 } = options;
  checkRange("focal", "gamma", gamma, 0);
  const t = spreadClasses("focal", logits, targets);
  if (typeof alpha === "number") checkRange("focal", "alpha", alpha, 0);
  else checkClassWeights("focal", "alpha", alpha, logits.shape[1]);
  const logP = unmasked(t, logSoftmax(logits, { axis: 1 }));
  const share = typeof alpha === "number" ? alpha : cast(alpha, t.dtype);
  const terms = mul(mul(mul(t, share), power(neg(expm1(logP)), gamma)), logP);
  return reduceLosses("focal", neg(sum(terms, { axis: 1 })), options);
}

/** Options of `binaryFocal`. */
export interface BinaryFocalOptions extends LossOptions {
  /** γ from 0: how much less well-classified examples count; 2 when left out. */
  gamma?: number;
  /** α in [0, 1]: what positives count, negatives 1 − α; both count 1 when left out. */
  alpha?: number;
}

const BINARY_FOCAL_OPTIONS: Known<BinaryFocalOptions> = {
  ...LOSS_OPTIONS,
  gamma: "number",
  alpha: true,
};

/**
 * Computes −α_t (1 − p_t)ᵞ ln p_t of each element from logits z, where p_t is σ(z) for a target 1
 * and 1 − σ(z) for a target 0 (Lin et al. 2017, "Focal Loss for Dense Object Detection", eq. 5).
 * For targets between, p_t = t p + (1 − t)(1 − p), α_t alike, and −ln p_t is the cross-entropy.
 * @param z logits of any shape, f32 or f64.
 * @param target in [0, 1], of the same shape, in any dtype.
 * @throws ShapeError when the shapes differ, GradusError for γ or α out of range.
 * @example binaryFocal(logits, target, { alpha: 0.25 });
 */
export function binaryFocal(
  z: Tensor,
  target: Tensor,
  options: BinaryFocalOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<BinaryFocalOptions>("binaryFocal", options, BINARY_FOCAL_OPTIONS, surplus);
  const { gamma = 2, alpha } = options;
  checkRange("binaryFocal", "gamma", gamma, 0);
  if (alpha !== undefined) checkRange("binaryFocal", "alpha", alpha, 0, 1);
  const t = matched("binaryFocal", z, target);
  const missed = add(mul(t, sigmoid(neg(z))), mul(sub(1, t), sigmoid(z))); // 1 − p_t
  const focused = mul(power(missed, gamma), logitLosses(z, t));
  const share = alpha === undefined ? 1 : add(mul(t, 2 * alpha - 1), 1 - alpha);
  return reduceLosses("binaryFocal", mul(focused, share), options);
}
