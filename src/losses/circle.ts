import { checkOptions, checkPositive, type Known } from "../core/check.ts";
import { stopGradient } from "../graph/custom-grad.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul, neg, sub } from "../ops/arithmetic.ts";
import { logicalAnd } from "../ops/compare.ts";
import { any } from "../ops/count.ts";
import { l2Normalize } from "../ops/l2-normalize.ts";
import { matmul } from "../ops/matmul.ts";
import { transpose } from "../ops/reshape.ts";
import { logSumExp } from "../ops/softmax.ts";
import { labelsOf } from "../ops/targets.ts";
import { relu, softplus } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { checkEmbeddings, checkRange } from "./check.ts";
import { ENDLESS, labelPairs } from "./label-pairs.ts";
import { LOSS_OPTIONS, type LossOptions, reduceCounted } from "./reduction.ts";

/** Options of `circle`. */
export interface CircleOptions extends LossOptions {
  /** m, how far cosines may be from 1 and 0, in [0, 1); 0.25 when left out. */
  margin?: number;
  /** γ, how sharply pairs are weighed, above 0; 256 when left out. */
  scale?: number;
}

const OPTIONS: Known<CircleOptions> = { ...LOSS_OPTIONS, margin: "number", scale: true };

/**
 * Computes log(1 + Σ e^(γ aₙ (sₙ − m)) · Σ e^(−γ aₚ (sₚ − 1 + m))) of each example, over cosines sₙ with
 * those of other classes and sₚ with others of its own, each by a weight of its own, which counts as
 * constant: aₙ = max(0, sₙ + m), aₚ = max(0, 1 + m − sₚ) (Sun et al. 2020, "Circle loss: A unified
 * perspective of pair similarity optimization", eq. 4 to 8). The mean runs over examples that have both.
 * @param embeddings `[n, features]`, f32 or f64; they are scaled to unit length.
 * @param labels integers `[n]`, equal for examples of one class.
 * @throws ShapeError or DTypeError for others, GradusError for an option out of its range.
 * @example circle(net.call(images), labels, { scale: 64 });
 */
export function circle(
  embeddings: Tensor,
  labels: Tensor,
  options: CircleOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("circle", options, OPTIONS, surplus);
  const { margin = 0.25, scale = 256 } = options;
  checkEmbeddings("circle", [embeddings]);
  const { positive, negative } = labelPairs(labelsOf("circle", labels, embeddings.shape[0]));
  checkRange("circle", "margin", margin, 0, 1);
  checkPositive("circle", { scale });
  const x = l2Normalize(embeddings);
  const s = matmul(x, transpose(x));
  const total = (counts: Tensor, terms: Tensor) =>
    logSumExp(where(counts, mul(terms, scale), -ENDLESS), { axis: 1 });
  const away = stopGradient(relu(add(s, margin)));
  const near = stopGradient(relu(sub(1 + margin, s)));
  const others = total(negative, mul(away, sub(s, margin)));
  const own = total(positive, neg(mul(near, sub(s, 1 - margin))));
  const counts = logicalAnd(any(positive, { axis: 1 }), any(negative, { axis: 1 }));
  return reduceCounted("circle", softplus(add(others, own)), counts, options);
}
