import { checkDecay, checkOptions, type Known } from "../core/check.ts";
import type { Key } from "../core/random.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { mul } from "./arithmetic.ts";
import { less } from "./compare.ts";
import { zeros } from "./creation.ts";
import { checkDomain, checkStep } from "./domain.ts";
import { keyOf } from "./random.ts";
import { uniformAt } from "./random-at.ts";
import { where } from "./where.ts";

/** Where the mask of `dropout` comes from, and whether there is one. */
export interface DropoutMaskOptions {
  /** Whether elements are dropped at all; true when left out. */
  training?: boolean;
  /** Fixes the mask on every device. */
  seed?: number;
  /** In place of `seed`, a key as `foldIn` derives them; the default sequence's next when neither. */
  key?: Key;
  /** A u32 scalar, such as a `State` that each step raises: another mask for each; 0 when left out. */
  step?: Tensor;
}

/** The names of `DropoutMaskOptions`. */
export const DROPOUT_MASK: Known<DropoutMaskOptions> = {
  training: "boolean",
  seed: "number",
  key: true,
  step: true,
};

/**
 * Sets each element to 0 with probability `rate`, ½ when left out, and divides the others by 1 − rate, so
 * that expectations stay, as PyTorch's `functional.dropout` does. In a function that is compiled, give a
 * seed or key and the `step` on which the mask is to depend; `Dropout` counts steps itself.
 * Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from
 * overfitting", section 10 for the scaling while training.
 * @param rate from 0 and below 1.
 * @throws GradusError for another rate, DTypeError unless x is f32 or f64, and for a `step` as
 * `uniformAt` does.
 * @example
 * const y = dropout(ones([1000]), 0.2, { seed: 1 });
 * await countNonZero(y).item(); // 795
 */
export function dropout(
  x: Tensor,
  rate = 0.5,
  options: DropoutMaskOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("dropout", options, DROPOUT_MASK, surplus);
  checkTensors("dropout", [x]);
  checkDomain("dropout", x.dtype, "float");
  checkDecay("dropout", { rate });
  const { training = true, step = zeros([], { dtype: "u32", device: x.device }) } = options;
  checkStep("dropout", step);
  return training && rate > 0 ? dropElements(x, rate, step, keyOf("dropout", options)) : x;
}

/** Drops a share of x by the mask of a key at a step, of a shape that broadcasts to x's. */
export function dropElements(
  x: Tensor,
  rate: number,
  step: Tensor,
  key: Key,
  shape = x.shape,
): Tensor {
  const kept = 1 - rate;
  const u = uniformAt(step, shape, { key });
  return where(less(u, kept), mul(x, 1 / kept), 0);
}
