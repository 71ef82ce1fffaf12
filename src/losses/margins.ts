import { checkOptions, checkPositive, type Known } from "../core/check.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, mul, neg, reciprocal, sub } from "../ops/arithmetic.ts";
import { broadcastTo } from "../ops/broadcast.ts";
import { greater, lessEqual } from "../ops/compare.ts";
import { hotRows } from "../ops/creation.ts";
import { safeSqrt } from "../ops/root.ts";
import { labelsOf } from "../ops/targets.ts";
import { where } from "../ops/where.ts";
import {
  checkArcMargin,
  checkMatrix,
  checkMultiplier,
  checkRange,
  checkTensorOption,
} from "./check.ts";

/** Options of logits of cosines with an additive margin. */
export interface AdditiveMarginOptions {
  /** m, what makes the right class harder. */
  margin?: number;
  /** s, what the cosines are multiplied with, above 0; 64 when left out. */
  scale?: number;
}

const ADDITIVE: Known<AdditiveMarginOptions> = { margin: "number", scale: true };

/**
 * Gives s (cos θ_y − m) for the right class y and s cos θ_j for others (Wang et al. 2018,
 * "CosFace: large margin cosine loss for deep face recognition", eq. 4).
 * @param cosines `[n, classes]`, cos θ of each example with each class, f32 or f64.
 * @param labels integers `[n]`; one outside `[0, classes)` puts no margin anywhere.
 * @param options `margin` from 0, 0.35 when left out.
 * @throws ShapeError or DTypeError for others, GradusError for an option out of its range.
 */
export function cosFaceLogits(
  cosines: Tensor,
  labels: Tensor,
  options: AdditiveMarginOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("cosFaceLogits", options, ADDITIVE, surplus);
  const { margin = 0.35, scale = 64 } = options;
  const isRight = rightClass("cosFaceLogits", cosines, labels);
  checkRange("cosFaceLogits", "margin", margin, 0);
  checkPositive("cosFaceLogits", { scale });
  return mul(where(isRight, sub(cosines, margin), cosines), scale);
}

/** Options of `arcFaceLogits`. */
export interface ArcFaceOptions extends AdditiveMarginOptions {
  /** Whether only angles below π / 2 get a margin, as nets need that begin to learn; false when left out. */
  easyMargin?: boolean;
}

const ARC_FACE_OPTIONS: Known<ArcFaceOptions> = { ...ADDITIVE, easyMargin: "boolean" };

/**
 * Gives s cos(θ_y + m) for the right class y and s cos θ_j for others (Deng et al. 2019,
 * "ArcFace: additive angular margin loss for deep face recognition", eq. 3).
 *
 * From θ_y = π − m on, where cos(θ + m) would rise again, it gives s (cos θ_y − m sin m), as the
 * authors' code does; with `easyMargin` there is no margin from θ_y = π / 2 on. The gradient of sin θ = √(1 − cos²θ) is 0 at cos θ = ±1.
 * @param cosines `[n, classes]`, cos θ of each example with each class, f32 or f64.
 * @param labels integers `[n]`; one outside `[0, classes)` puts no margin anywhere.
 * @param options `margin` in radians, from 0 and below π, 0.5 when left out.
 * @throws ShapeError or DTypeError for others, GradusError for an option out of its range.
 */
export function arcFaceLogits(
  cosines: Tensor,
  labels: Tensor,
  options: ArcFaceOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("arcFaceLogits", options, ARC_FACE_OPTIONS, surplus);
  const { margin = 0.5, scale = 64 } = options;
  const isRight = rightClass("arcFaceLogits", cosines, labels);
  checkPositive("arcFaceLogits", { scale });
  checkArcMargin("arcFaceLogits", margin);
  // cos(θ + m) = cos θ cos m − sin θ sin m
  const [cos, sin] = [Math.cos(margin), Math.sin(margin)];
  const turned = sub(mul(cosines, cos), mul(sineOf(cosines), sin));
  const harder = options.easyMargin
    ? where(greater(cosines, 0), turned, cosines)
    : where(greater(cosines, -cos), turned, sub(cosines, margin * sin));
  return mul(where(isRight, harder, cosines), scale);
}

/** sin θ = √((1 − c)(1 + c)) of cosines, with the gradient 0 where it is 0. */
function sineOf(cosines: Tensor): Tensor {
  return safeSqrt(mul(sub(1, cosines), add(cosines, 1)));
}

/** Options of `largeMarginLogits`. */
export interface LargeMarginOptions {
  /** m, what the right class's angle is multiplied with, an integer from 1; 4 when left out. */
  margin?: number;
  /** λ, how much the plain logit counts beside that with margin, from 0; 0 when left out. */
  lambda?: number | Tensor;
}

const LARGE: Known<LargeMarginOptions> = { margin: "number", lambda: true };

/**
 * Gives r_y (λ cos θ_y + ψ(θ_y)) / (1 + λ) for the right class y and r_j cos θ_j for others, with
 * ψ(θ) = (−1)ᵏ cos(mθ) − 2k for θ in [kπ/m, (k+1)π/m], which falls from 1 to 1 − 2m.
 *
 * With r_j = ‖w_j‖ ‖x‖ these are the logits of L-Softmax (Liu, Wen, Yu & Yang 2016, "Large-margin
 * softmax loss for convolutional neural networks", eq. 4-6, section 4 on λ), with r_j = ‖x‖ those
 * of A-Softmax (Liu et al. 2017, "SphereFace: deep hypersphere embedding for face recognition",
 * eq. 7). cos(mθ) is the Chebyshev polynomial of cos θ, so that no angle is computed and gradients
 * are finite.
 * @param cosines `[n, classes]`, cos θ of each example with each class, f32 or f64.
 * @param lengths r, `[n, classes]` or what broadcasts to it, of the same dtype.
 * @param labels integers `[n]`; one outside `[0, classes)` puts no margin anywhere.
 * @throws ShapeError or DTypeError for others, GradusError for an option out of its range.
 */
export function largeMarginLogits(
  cosines: Tensor,
  lengths: Tensor,
  labels: Tensor,
  options: LargeMarginOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("largeMarginLogits", options, LARGE, surplus);
  const { margin = 4, lambda = 0 } = options;
  const isRight = rightClass("largeMarginLogits", cosines, labels);
  checkMultiplier("largeMarginLogits", margin);
  checkTensors("largeMarginLogits", [lengths]);
  if (typeof lambda === "number") checkRange("largeMarginLogits", "lambda", lambda, 0);
  else checkTensorOption("largeMarginLogits", "lambda", lambda);
  const share = typeof lambda === "number" ? 1 / (1 + lambda) : reciprocal(add(lambda, 1));
  // (λ cos θ + ψ) / (1 + λ) = cos θ + (ψ − cos θ) / (1 + λ)
  const harder = add(cosines, mul(sub(multipliedAngle(cosines, margin), cosines), share));
  return mul(where(isRight, harder, cosines), broadcastTo(lengths, cosines.shape));
}

/** ψ(θ) = (−1)ᵏ cos(mθ) − 2k of cosines. */
function multipliedAngle(cosines: Tensor, m: number): Tensor {
  const even = chebyshev(cosines, m);
  const odd = neg(even);
  let y = even;
  for (let k = 1; k < m; k++) {
    const beyond = lessEqual(cosines, Math.cos((k * Math.PI) / m)); // θ ≥ kπ/m
    y = where(beyond, sub(k % 2 === 0 ? even : odd, 2 * k), y);
  }
  return y;
}

/** T_m(c) = cos(m arccos c): T₀ = 1, T₁ = c, T_m = 2c T_{m−1} − T_{m−2}. */
function chebyshev(c: Tensor, m: number): Tensor {
  let [before, y]: [Tensor | number, Tensor] = [1, c];
  for (let i = 2; i <= m; i++) [before, y] = [y, sub(mul(mul(c, 2), y), before)];
  return y;
}

/** Says for each logit whether it is that of the right class, `[n, classes]`. */
function rightClass(op: string, cosines: Tensor, labels: Tensor): Tensor {
  checkMatrix(op, "cosines", cosines, "classes");
  const [n, classes] = cosines.shape;
  return hotRows(labelsOf(op, labels, n), classes, "bool");
}
