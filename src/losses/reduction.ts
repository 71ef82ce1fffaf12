import { checkWords, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { div, maximum, mul } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { sum } from "../ops/reduce.ts";
import { reshape } from "../ops/reshape.ts";
import { where } from "../ops/where.ts";
import { checkTensorOption } from "./check.ts";

/** How single losses become the result: their mean, their sum, or as they are. */
export type Reduction = "mean" | "sum" | "none";

/** Options that every loss has. */
export interface LossOptions {
  /** `mean` when left out. Of no losses the sum is 0 and the mean NaN, as in PyTorch. */
  reduction?: Reduction;
  /**
   * What each loss counts, in any dtype (bools mask): `[n]`, one for each example, or the shape of
   * the losses that `reduction: "none"` gives. The mean still divides by the number of losses.
   */
  weights?: Tensor;
}

/** The names of `LossOptions`, for checks. */
export const LOSS_OPTIONS = {
  reduction: "string",
  weights: true,
} as const satisfies Known<LossOptions>;

/**
 * Reduces single losses; the mean divides by `count` and is NaN of none.
 * @throws GradusError for an unknown reduction, ShapeError for weights that do not fit.
 */
export function reduceLosses(
  op: string,
  losses: Tensor,
  { reduction = "mean", weights }: LossOptions,
  count: Tensor | number = losses.size,
): Tensor {
  checkWords(op, { reduction }, ["mean", "sum", "none"]);
  const weighted = weights !== undefined ? mul(losses, spread(op, losses, weights)) : losses;
  if (reduction === "none") return weighted;
  const total = sum(weighted);
  if (reduction === "sum") return total;
  return div(total, count);
}

/** Reduces losses of which only some count: the others are 0, and the mean divides by those, or 1. */
export function reduceCounted(
  op: string,
  losses: Tensor,
  counts: Tensor,
  options: LossOptions,
): Tensor {
  const count = maximum(sum(cast(counts, losses.dtype)), 1);
  return reduceLosses(op, where(counts, losses, 0), options, count);
}

/** Weights with the rank and dtype of losses. */
function spread(op: string, { shape, dtype }: Tensor, weights: Tensor): Tensor {
  checkTensorOption(op, "weights", weights);
  if (!sameShape(weights.shape, shape) && !sameShape(weights.shape, shape.slice(0, 1))) {
    throw new ShapeError(
      `${op}: weights ${formatShape(weights.shape)}; expected ${formatShape(shape)} or [n]`,
    );
  }
  return cast(
    reshape(
      weights,
      shape.map((_, i) => weights.shape[i] ?? 1),
    ),
    dtype,
  );
}
