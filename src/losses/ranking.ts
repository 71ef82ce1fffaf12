import { checkOptions, type Known } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { matched } from "../ops/targets.ts";
import { relu } from "../ops/unary.ts";
import { checkRange } from "./check.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";

/** Options of `marginRanking`. */
export interface MarginRankingOptions extends LossOptions {
  /** m, by how much the better score shall be larger, from 0 (0 when left out). */
  margin?: number;
}

const OPTIONS: Known<MarginRankingOptions> = { ...LOSS_OPTIONS, margin: "number" };

/**
 * Computes max(0, −t (a − b) + m) of each pair of scores, for targets t = 1 where a shall be larger and
 * −1 where b shall (Herbrich, Graepel & Obermayer 2000, "Large margin rank boundaries for ordinal
 * regression", in PyTorch's form).
 * @param a scores of any shape, f32 or f64.
 * @param b as `a`.
 * @param target 1 and −1, of the same shape, in any dtype.
 * @throws ShapeError when the shapes differ, GradusError for a margin out of its range.
 * @example marginRanking(score(clicked), score(skipped), ones([8]), { margin: 1 });
 */
export function marginRanking(
  a: Tensor,
  b: Tensor,
  target: Tensor,
  options: MarginRankingOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("marginRanking", options, OPTIONS, surplus);
  const { margin = 0 } = options;
  const t = matched("marginRanking", a, target);
  const better = sub(matched("marginRanking", a, b), a); // b − a
  checkRange("marginRanking", "margin", margin, 0);
  return reduceLosses("marginRanking", relu(add(mul(t, better), margin)), options);
}
