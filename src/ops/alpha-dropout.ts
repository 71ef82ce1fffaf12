import { checkDecay, checkOptions } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import type { Key } from "../core/random.ts";
import { formatShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, mul } from "./arithmetic.ts";
import { less } from "./compare.ts";
import { zeros } from "./creation.ts";
import { checkDomain, checkStep } from "./domain.ts";
import { DROPOUT_MASK, type DropoutMaskOptions } from "./dropout.ts";
import { keyOf } from "./random.ts";
import { uniformAt } from "./random-at.ts";
import { where } from "./where.ts";

/** Where `selu` ends on the left: −λα of its two constants. */
const END = -1.7580993408473766;

/** Puts selu's end in the place of a share of x, by the mask of a key at a step, and keeps mean and variance. */
export function dropToEnd(
  x: Tensor,
  rate: number,
  step: Tensor,
  key: Key,
  shape = x.shape,
): Tensor {
  const kept = 1 - rate;
  const u = uniformAt(step, shape, { key });
  // a = ((1 − p)(1 + p·α′²))^−½, b = −a·p·α′
  const a = 1 / Math.sqrt(kept * (1 + rate * END * END));
  return add(mul(where(less(u, kept), x, END), a), -a * rate * END);
}

function dropped(
  op: string,
  x: Tensor,
  rate: number,
  options: DropoutMaskOptions,
  surplus: readonly unknown[],
): Tensor {
  checkOptions(op, options, DROPOUT_MASK, surplus);
  checkTensors(op, [x]);
  checkDomain(op, x.dtype, "float");
  checkDecay(op, { rate });
  const shape = op === "alphaDropout" ? x.shape : channelMask(op, x);
  const { training = true, step = zeros([], { dtype: "u32", device: x.device }) } = options;
  checkStep(op, step);
  return training && rate > 0 ? dropToEnd(x, rate, step, keyOf(op, options), shape) : x;
}

/** The shape of a mask of whole channels, of `[n, channels, …]`. */
export function channelMask(op: string, x: Tensor): readonly number[] {
  if (x.rank < 2) {
    throw new ShapeError(`${op}: input ${formatShape(x.shape)}; expected [n, channels, …]`);
  }
  return x.shape.map((n, axis) => (axis < 2 ? n : 1));
}

/**
 * Sets each element to α′ = −1.758, where `selu` ends, with probability `rate`, and maps all by a·x + b
 * so that mean 0 and variance 1 stay, as PyTorch's `functional.alpha_dropout` does in training. The mask is
 * that of `dropout`, and so are seed, key and `step`.
 * Source: Klambauer et al. 2017, "Self-normalizing neural networks", section "New dropout technique".
 * @param rate from 0 and below 1; ½ when left out.
 * @throws GradusError for another rate, DTypeError unless x is f32 or f64, and for a `step` as `uniformAt` does.
 * @example
 * const y = alphaDropout(randomNormal([10000], { seed: 1 }), 0.2, { seed: 1 });
 * Math.abs(await mean(y).item()) < 0.03; // true
 */
export function alphaDropout(
  x: Tensor,
  rate = 0.5,
  options: DropoutMaskOptions = {},
  ...surplus: never[]
): Tensor {
  return dropped("alphaDropout", x, rate, options, surplus);
}

/**
 * Does what `alphaDropout` does to whole channels of `[n, channels, …]`, as PyTorch's
 * `functional.feature_alpha_dropout` does in training.
 * @param rate from 0 and below 1; ½ when left out.
 * @throws ShapeError for less than two axes, and what `alphaDropout` throws.
 * @example featureAlphaDropout(ones([2, 16, 8, 8]), 0.2, { seed: 1 }).shape; // [2, 16, 8, 8]
 */
export function featureAlphaDropout(
  x: Tensor,
  rate = 0.5,
  options: DropoutMaskOptions = {},
  ...surplus: never[]
): Tensor {
  return dropped("featureAlphaDropout", x, rate, options, surplus);
}
