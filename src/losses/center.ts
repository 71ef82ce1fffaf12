import { checkOptions } from "../core/check.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { stopGradient } from "../graph/custom-grad.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { mul, square, sub } from "../ops/arithmetic.ts";
import { greaterEqual, less, logicalAnd } from "../ops/compare.ts";
import { gather } from "../ops/gather.ts";
import { sum } from "../ops/reduce.ts";
import { expandDims } from "../ops/reshape.ts";
import { labelsOf } from "../ops/targets.ts";
import { where } from "../ops/where.ts";
import { checkMatrix } from "./check.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";

/**
 * Computes ½‖x − c_y‖² of each example, with c_y the center of its class; gradients do not reach
 * the centers (Wen, Zhang, Li & Qiao 2016, "A discriminative feature learning approach for deep face
 * recognition", eq. 2 and 3).
 * @param features `[n, features]`, f32 or f64.
 * @param labels integers `[n]`; one outside `[0, classes)` contributes 0 and no gradient.
 * @param centers `[classes, features]` of the same dtype.
 * @throws ShapeError or DTypeError for others.
 */
export function centerLoss(
  features: Tensor,
  labels: Tensor,
  centers: Tensor,
  options: LossOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<LossOptions>("centerLoss", options, LOSS_OPTIONS, surplus);
  return centerLossOf("centerLoss", features, labels, centers, options);
}

/** Computes `centerLoss` in the name of whoever was called. */
export function centerLossOf(
  op: string,
  features: Tensor,
  labels: Tensor,
  centers: Tensor,
  options: LossOptions,
): Tensor {
  checkCenters(op, features, centers);
  const classes = labelsOf(op, labels, features.shape[0]);
  return lossOfChosen(op, features, chooseCenters(classes, centers), options);
}

/** The centers of examples' classes, and whether there is one. */
export interface Chosen {
  readonly centers: Tensor;
  readonly isClass: Tensor;
}

/** Gathers the center of each example's class. */
export function chooseCenters(labels: Tensor, centers: Tensor): Chosen {
  const isClass = logicalAnd(greaterEqual(labels, 0), less(labels, centers.shape[0]));
  return { centers: stopGradient(gather(centers, where(isClass, labels, 0))), isClass };
}

/** Computes the loss of examples whose centers are gathered. */
export function lossOfChosen(
  op: string,
  features: Tensor,
  { centers, isClass }: Chosen,
  options: LossOptions,
): Tensor {
  const apart = where(expandDims(isClass, 1), sub(features, centers), 0);
  return reduceLosses(op, mul(sum(square(apart), { axis: 1 }), 0.5), options);
}

/** Throws unless features and centers are such as `centerLoss` takes. */
export function checkCenters(op: string, features: Tensor, centers: Tensor): void {
  checkTensors(op, [features, centers]);
  checkMatrix(op, "features", features, "features");
  checkMatrix(op, "centers", centers, "features");
  if (features.dtype !== centers.dtype) {
    throw new DTypeError(
      `${op}: features have dtype ${features.dtype}, centers ${centers.dtype}; ` +
        "expected one dtype",
    );
  }
  if (features.shape[1] === centers.shape[1]) return;
  throw new ShapeError(
    `${op}: features ${formatShape(features.shape)} with centers ` +
      `${formatShape(centers.shape)}; expected [n, features] and [classes, features]`,
  );
}
