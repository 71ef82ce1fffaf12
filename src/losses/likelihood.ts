import { checkOptions, checkPositive, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { stopGradient } from "../graph/custom-grad.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, div, maximum, mul, neg, square, sub } from "../ops/arithmetic.ts";
import { equal, greater } from "../ops/compare.ts";
import { sum } from "../ops/reduce.ts";
import { matched } from "../ops/targets.ts";
import { exp, log } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { checkRange, spreadClasses, unmasked } from "./check.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";

/** Options of `poissonNLL`. */
export interface PoissonOptions extends LossOptions {
  /** Whether y is the logarithm of the rate; true when left out. */
  logInput?: boolean;
  /** Whether Stirling's approximation of ln t! is added for t > 1; false when left out. */
  full?: boolean;
  /** What keeps ln(y + ε) finite where y is the rate itself; 1e-8 when left out. */
  epsilon?: number;
}

const POISSON_OPTIONS: Known<PoissonOptions> = {
  ...LOSS_OPTIONS,
  logInput: "boolean",
  full: "boolean",
  epsilon: "number",
};

/**
 * Computes the negative log-likelihood of counts t under Poisson distributions of rate eʸ, eʸ − t y,
 * or of rate y, y − t ln(y + ε); with `full`, plus t ln t − t + ½ ln(2πt), else without ln t!.
 * @throws ShapeError when the shapes differ, GradusError for a negative ε.
 * @example poissonNLL(logRates, counts);
 */
export function poissonNLL(
  y: Tensor,
  target: Tensor,
  options: PoissonOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<PoissonOptions>("poissonNLL", options, POISSON_OPTIONS, surplus);
  const { logInput = true, full = false, epsilon = 1e-8 } = options;
  checkRange("poissonNLL", "epsilon", epsilon, 0);
  const t = matched("poissonNLL", y, target);
  const losses = logInput ? sub(exp(y), mul(t, y)) : sub(y, mul(t, log(add(y, epsilon))));
  return reduceLosses("poissonNLL", full ? add(losses, stirling(t)) : losses, options);
}

/** t ln t − t + ½ ln(2πt) ≈ ln t! where t > 1, else 0. */
function stirling(t: Tensor): Tensor {
  const large = greater(t, 1);
  const u = where(large, t, 1);
  const logs = mul(add(u, 0.5), log(u));
  return where(large, add(sub(logs, u), 0.5 * Math.log(2 * Math.PI)), 0);
}

/** Options of `gaussianNLL`. */
export interface GaussianOptions extends LossOptions {
  /** Whether the constant ½ ln 2π is added; false when left out. */
  full?: boolean;
  /** The least variance; 1e-6 when left out. */
  epsilon?: number;
}

const GAUSSIAN_OPTIONS: Known<GaussianOptions> = {
  ...LOSS_OPTIONS,
  full: "boolean",
  epsilon: "number",
};

/**
 * Computes the negative log-likelihood ½ (ln v + (y − t)²/v) of each element under normal
 * distributions of mean y and variance v (Nix and Weigend 1994, "Estimating the Mean and Variance
 * of the Target Probability Distribution"). A v below ε counts as ε; its gradient is that at ε.
 * @param variance of the shape of y, not its square root.
 * @throws ShapeError when the shapes differ, GradusError for an ε that is not above 0.
 * @example gaussianNLL(mean, target, variance);
 */
export function gaussianNLL(
  y: Tensor,
  target: Tensor,
  variance: Tensor,
  options: GaussianOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<GaussianOptions>("gaussianNLL", options, GAUSSIAN_OPTIONS, surplus);
  const { full = false, epsilon = 1e-6 } = options;
  checkPositive("gaussianNLL", { epsilon });
  const t = matched("gaussianNLL", y, target);
  checkTensors("gaussianNLL", [variance]);
  if (!sameShape(variance.shape, y.shape)) {
    throw new ShapeError(
      `gaussianNLL: variance ${formatShape(variance.shape)} with outputs ` +
        `${formatShape(y.shape)}; expected equal shapes`,
    );
  }
  const v = add(variance, stopGradient(sub(maximum(variance, epsilon), variance)));
  const losses = mul(add(log(v), div(square(sub(y, t)), v)), 0.5);
  const constant = 0.5 * Math.log(2 * Math.PI);
  return reduceLosses("gaussianNLL", full ? add(losses, constant) : losses, options);
}

/** Options of `klDivergence`. */
export interface DivergenceOptions extends LossOptions {
  /** Whether y holds logarithms of probabilities; true when left out. */
  logInput?: boolean;
  /** Whether the targets hold logarithms of probabilities; false when left out. */
  logTarget?: boolean;
}

const DIVERGENCE_OPTIONS: Known<DivergenceOptions> = {
  ...LOSS_OPTIONS,
  logInput: "boolean",
  logTarget: "boolean",
};

/**
 * Computes the relative entropy Σᵢ tᵢ (ln tᵢ − yᵢ) of targets t to a distribution of
 * log-probabilities y, in nats, over the last axis (Kullback and Leibler 1951, "On Information and
 * Sufficiency"; Bishop 2006, eq. 1.113). Where tᵢ = 0 the term is 0. The mean runs over the
 * distributions, not over their elements. Probabilities y are taken as at least 1e-7.
 * @throws ShapeError when the shapes differ or there is no axis.
 * @example klDivergence(logSoftmax(logits), probabilities);
 */
export function klDivergence(
  y: Tensor,
  target: Tensor,
  options: DivergenceOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<DivergenceOptions>("klDivergence", options, DIVERGENCE_OPTIONS, surplus);
  const { logInput = true, logTarget = false } = options;
  const given = matched("klDivergence", y, target);
  if (y.rank === 0) throw new ShapeError("klDivergence: a scalar; expected at least one axis");
  const t = logTarget ? exp(given) : given;
  const none = equal(t, 0);
  const logT = where(none, 0, logTarget ? given : log(where(none, 1, given)));
  const logY = logInput ? unmasked(t, y) : log(maximum(y, 1e-7));
  return reduceLosses("klDivergence", sum(mul(t, sub(logT, logY)), { axis: -1 }), options);
}

/**
 * Computes −Σᵢ tᵢ yᵢ of each example from log-probabilities y, such as `logSoftmax` gives: for
 * labels, −y at the label. A label outside `[0, c)` is an error on the CPU device; on WebGPU, which
 * cannot throw, it contributes 0 and no gradient.
 * @param y `[n, c]`, f32 or f64.
 * @param targets integer labels `[n]`, or probabilities `[n, c]`.
 * @throws ShapeError or DTypeError for other shapes and dtypes.
 * @example negativeLogLikelihood(logSoftmax(logits), labels);
 */
export function negativeLogLikelihood(
  y: Tensor,
  targets: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("negativeLogLikelihood", options, LOSS_OPTIONS, surplus);
  const op = "negativeLogLikelihood";
  const t = spreadClasses(op, y, targets);
  return reduceLosses(op, neg(sum(mul(t, unmasked(t, y)), { axis: 1 })), options);
}

/**
 * Computes −Σᵢ tᵢ ln(pᵢ + 1e-7) of each example from probabilities p (Saito 2016, "Deep Learning
 * from Scratch", section 4.2.2). From logits `crossEntropy` is the exact and quicker form.
 * @param p `[n, c]` in [0, 1], f32 or f64.
 * @param targets integer labels `[n]`, or probabilities `[n, c]`. A label outside `[0, c)` is an error
 * on the CPU device, and contributes 0 on WebGPU.
 * @throws ShapeError or DTypeError for other shapes and dtypes.
 * @example categoricalCrossEntropy(softmax(logits), oneHotLabels);
 */
export function categoricalCrossEntropy(
  p: Tensor,
  targets: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("categoricalCrossEntropy", options, LOSS_OPTIONS, surplus);
  const t = spreadClasses("categoricalCrossEntropy", p, targets);
  const losses = neg(sum(mul(t, log(add(p, 1e-7))), { axis: 1 }));
  return reduceLosses("categoricalCrossEntropy", losses, options);
}
