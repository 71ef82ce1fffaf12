import { checkOptions, checkPositive, type Known } from "../core/check.ts";
import { customGrad } from "../graph/custom-grad.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, minimum, mul, square, sub } from "../ops/arithmetic.ts";
import { less } from "../ops/compare.ts";
import { matched } from "../ops/targets.ts";
import { abs, exp, expm1, log1p, tanh } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { checkRange } from "./check.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";

/**
 * Computes |y − t| of each element (L1); the gradient is 0 where y = t.
 * @throws ShapeError when the shapes differ.
 * @example meanAbsoluteError(y, target);
 */
export function meanAbsoluteError(
  y: Tensor,
  target: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("meanAbsoluteError", options, LOSS_OPTIONS, surplus);
  const t = matched("meanAbsoluteError", y, target);
  return reduceLosses("meanAbsoluteError", abs(sub(y, t)), options);
}

/**
 * Computes 100 |y − t| / max(|t|, 1e-7) of each element: percent of the target.
 * @throws ShapeError when the shapes differ.
 * @example meanAbsolutePercentageError(y, target);
 */
export function meanAbsolutePercentageError(
  y: Tensor,
  target: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("meanAbsolutePercentageError", options, LOSS_OPTIONS, surplus);
  const op = "meanAbsolutePercentageError";
  const t = matched(op, y, target);
  const share = div(abs(sub(y, t)), maximum(abs(t), 1e-7));
  return reduceLosses(op, mul(share, 100), options);
}

/** q (a − q/2) with a = |y − t|, q = min(a, δ): ½a² up to δ, then a line. */
function quadraticThenLinear(y: Tensor, t: Tensor, delta: number): Tensor {
  const a = abs(sub(y, t));
  const q = minimum(a, delta);
  return mul(q, sub(a, mul(q, 0.5)));
}

/** Options of `huber`. */
export interface HuberOptions extends LossOptions {
  /** Where the square goes over into a line, above 0; 1 when left out. */
  delta?: number;
}

const HUBER_OPTIONS: Known<HuberOptions> = { ...LOSS_OPTIONS, delta: "number" };

/**
 * Computes ½(y − t)² of each element where |y − t| ≤ δ, else δ (|y − t| − ½δ) (Huber 1964,
 * "Robust Estimation of a Location Parameter").
 * @throws ShapeError when the shapes differ, GradusError for a δ that is not above 0.
 * @example huber(y, target, { delta: 0.5 });
 */
export function huber(
  y: Tensor,
  target: Tensor,
  options: HuberOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<HuberOptions>("huber", options, HUBER_OPTIONS, surplus);
  const { delta = 1 } = options;
  checkPositive("huber", { delta });
  const t = matched("huber", y, target);
  return reduceLosses("huber", quadraticThenLinear(y, t, delta), options);
}

/** Options of `smoothL1`. */
export interface SmoothL1Options extends LossOptions {
  /** Where the square goes over into a line of slope 1, from 0; 1 when left out. */
  beta?: number;
}

const SMOOTH_OPTIONS: Known<SmoothL1Options> = { ...LOSS_OPTIONS, beta: "number" };

/**
 * Computes ½(y − t)²/β of each element where |y − t| < β, else |y − t| − ½β (Girshick 2015, "Fast
 * R-CNN", eq. 3, for β = 1): Huber's loss over β, and |y − t| for β = 0.
 * @throws ShapeError when the shapes differ, GradusError for a negative β.
 * @example smoothL1(boxes, target, { beta: 1 / 9 });
 */
export function smoothL1(
  y: Tensor,
  target: Tensor,
  options: SmoothL1Options = {},
  ...surplus: never[]
): Tensor {
  checkOptions<SmoothL1Options>("smoothL1", options, SMOOTH_OPTIONS, surplus);
  const { beta = 1 } = options;
  checkRange("smoothL1", "beta", beta, 0);
  const t = matched("smoothL1", y, target);
  const losses = beta > 0 ? div(quadraticThenLinear(y, t, beta), beta) : abs(sub(y, t));
  return reduceLosses("smoothL1", losses, options);
}

/**
 * Computes ln cosh(y − t) of each element, about ½(y − t)² near 0 and |y − t| − ln 2 far from it,
 * without overflow; its gradient is tanh(y − t).
 * @throws ShapeError when the shapes differ.
 * @example logCosh(y, target);
 */
export function logCosh(
  y: Tensor,
  target: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("logCosh", options, LOSS_OPTIONS, surplus);
  const losses = customGrad(
    (d: Tensor) => {
      const a = abs(d);
      const isNear = less(a, 1);
      // Near 0, cosh a = 1 + ½ e²/(1 + e) with e = eᵃ − 1 keeps the digits that ln 2 takes away.
      const e = expm1(minimum(a, 1));
      const near = div(mul(square(e), 0.5), add(e, 1));
      const logs = log1p(where(isNear, near, exp(mul(a, -2))));
      return add(logs, where(isNear, 0, sub(a, Math.LN2)));
    },
    (g, _, d) => [mul(g, tanh(d))],
  );
  return reduceLosses("logCosh", losses(sub(y, matched("logCosh", y, target))), options);
}

/** Options of `pinball`. */
export interface PinballOptions extends LossOptions {
  /** Which quantile is learned, in [0, 1]; ½, the median, when left out. */
  q?: number;
}

const PINBALL_OPTIONS: Known<PinballOptions> = { ...LOSS_OPTIONS, q: "number" };

/**
 * Computes the pinball loss max(q e, (q − 1) e) of each element, e = t − y, least in the mean where
 * y is the q-quantile of t (Koenker and Bassett 1978, "Regression Quantiles"). At e = 0 the
 * gradient is the mean of the two slopes.
 * @throws ShapeError when the shapes differ, GradusError for q outside [0, 1].
 * @example pinball(y, target, { q: 0.9 });
 */
export function pinball(
  y: Tensor,
  target: Tensor,
  options: PinballOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<PinballOptions>("pinball", options, PINBALL_OPTIONS, surplus);
  const { q = 0.5 } = options;
  checkRange("pinball", "q", q, 0, 1);
  const e = sub(matched("pinball", y, target), y);
  return reduceLosses("pinball", maximum(mul(e, q), mul(e, q - 1)), options);
}
