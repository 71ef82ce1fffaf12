import { checkOptions, checkPositive, type Known } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, mul, square, sub } from "../ops/arithmetic.ts";
import { sum } from "../ops/reduce.ts";
import { matched } from "../ops/targets.ts";
import { exampleAxes } from "./check.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";

/** Options of `dice`. */
export interface DiceOptions extends LossOptions {
  /** s, what keeps the loss smooth where there is nothing to find, above 0; 1 when left out. */
  smooth?: number;
  /** Whether Σ p² + Σ t² stands below, as in V-Net; false when left out. */
  squared?: boolean;
}

const OPTIONS: Known<DiceOptions> = { ...LOSS_OPTIONS, smooth: "number", squared: "boolean" };

/**
 * Computes 1 − (2 Σ p t + s) / (Σ p + Σ t + s) of each example: how little the part of a picture that
 * was found overlaps with what is there, whatever the size of both (Milletari, Navab & Ahmadi 2016,
 * "V-Net: Fully convolutional neural networks for volumetric medical image segmentation", eq. 5, with
 * squares below; without them: Sudre et al. 2017, "Generalised Dice overlap as a deep learning loss").
 * @param p probabilities `[n, …]`, f32 or f64, as `sigmoid` gives them.
 * @param target in [0, 1], of the same shape, in any dtype.
 * @throws ShapeError when the shapes differ, GradusError for an option out of its range.
 * @example dice(sigmoid(logits), target);
 */
export function dice(
  p: Tensor,
  target: Tensor,
  options: DiceOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("dice", options, OPTIONS, surplus);
  const { smooth = 1, squared = false } = options;
  const t = matched("dice", p, target);
  checkPositive("dice", { smooth });
  const axis = exampleAxes("dice", p);
  const size = (x: Tensor) => sum(squared ? square(x) : x, { axis });
  const both = add(mul(sum(mul(p, t), { axis }), 2), smooth);
  const each = add(add(size(p), size(t)), smooth);
  return reduceLosses("dice", sub(1, div(both, each)), options);
}
