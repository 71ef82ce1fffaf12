import { checkFinite, checkOptions, type Known } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import type { Key } from "../core/random.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { leakyRelu } from "./activations.ts";
import { mul } from "./arithmetic.ts";
import { lessEqual } from "./compare.ts";
import { zeros } from "./creation.ts";
import { checkDomain, checkStep } from "./domain.ts";
import { keyOf } from "./random.ts";
import { uniformAt } from "./random-at.ts";
import { where } from "./where.ts";

/** Options of `rrelu`. */
export interface RReluOptions {
  /** The least slope; 1/8 when left out. */
  lower?: number;
  /** The greatest slope; 1/3 when left out. */
  upper?: number;
  /** Whether slopes are drawn; false when left out. */
  training?: boolean;
  /** Fixes the slopes on every device. */
  seed?: number;
  /** In place of `seed`, a key as `foldIn` derives them; the default sequence's next when neither. */
  key?: Key;
  /** A u32 scalar, such as a `State` that each step raises: other slopes for each; 0 when left out. */
  step?: Tensor;
}

const RRELU: Known<RReluOptions> = {
  lower: "number",
  upper: true,
  training: "boolean",
  seed: true,
  key: true,
  step: true,
};

/** Throws a `GradusError` unless slopes lie between two finite numbers. */
export function checkSlopes(op: string, lower: number, upper: number): void {
  checkFinite(op, { lower, upper });
  if (lower <= upper) return;
  throw new GradusError(`${op}: lower ${lower}, upper ${upper}; expected lower ≤ upper`);
}

/** y = x where x > 0, else r·x, r of each element from U[lower, upper) by a key at a step. */
export function withDrawnSlopes(
  x: Tensor,
  [low, high]: readonly [low: number, high: number],
  step: Tensor,
  key: Key,
): Tensor {
  const slopes = uniformAt(step, x.shape, { key, low, high, dtype: x.dtype });
  return where(lessEqual(x, 0), mul(x, slopes), x);
}

/**
 * Multiplies what is not above 0 with a slope: in training one of each element from U[lower, upper), else
 * (lower + upper) / 2, as PyTorch's `functional.rrelu` does. In a function that is compiled, give a seed or
 * key and the `step` on which slopes are to depend; `RReLU` counts steps itself.
 * Source: Xu et al. 2015, "Empirical evaluation of rectified activations in convolutional network", section 2.4.
 * @throws GradusError unless lower ≤ upper, DTypeError unless x is f32 or f64, and for a `step` as
 * `uniformAt` does.
 * @example await rrelu(tensor([-3, 2]), { lower: 0, upper: 1 }).toArray(); // [-1.5, 2]
 */
export function rrelu(x: Tensor, options: RReluOptions = {}, ...surplus: never[]): Tensor {
  checkOptions("rrelu", options, RRELU, surplus);
  checkTensors("rrelu", [x]);
  checkDomain("rrelu", x.dtype, "float");
  const { lower = 1 / 8, upper = 1 / 3, training = false } = options;
  checkSlopes("rrelu", lower, upper);
  const { step = zeros([], { dtype: "u32", device: x.device }) } = options;
  checkStep("rrelu", step);
  if (!training) return leakyRelu(x, (lower + upper) / 2);
  return withDrawnSlopes(x, [lower, upper], step, keyOf("rrelu", options));
}
