import { checkOptions, isInteger, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { formatShape, type Shape, sameShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { checkDomain } from "./domain.ts";
import {
  type Affine,
  checkEpsilon,
  checkOfShape,
  rootMeanSquared,
  standardized,
  withAffine,
} from "./normalized.ts";

/** Options of `layerNorm`. */
export interface LayerNormOptions extends Affine {
  /** ε, added to the variance, a finite number from 0; 1e-5 when left out. */
  epsilon?: number;
}

/** Options of `rmsNorm`. */
export interface RMSNormOptions extends Pick<Affine, "weight"> {
  /** ε, added to the mean square, a finite number from 0; 2⁻²³ when left out, which is f32's. */
  epsilon?: number;
}

const LAYER_NORM: Known<LayerNormOptions> = { weight: true, bias: true, epsilon: "number" };
const RMS_NORM: Known<RMSNormOptions> = { weight: true, epsilon: "number" };

/** The last axes' sizes, given as one number or as several. */
export function lastSizes(op: string, given: number | Shape): Shape {
  const shape = [given].flat();
  if (shape.length > 0 && shape.every((n) => isInteger(n, 1))) return shape;
  throw new ShapeError(
    `${op}: normalizedShape ${quote(given)}; expected an integer from 1, or several`,
  );
}

/** The last axes of x, which have the sizes that are given. */
function lastAxes(op: string, x: Tensor, shape: Shape): number[] {
  checkTensors(op, [x]);
  checkDomain(op, x.dtype, "float");
  const first = x.rank - shape.length;
  if (first >= 0 && sameShape(x.shape.slice(first), shape)) {
    return shape.map((_, i) => first + i);
  }
  throw new ShapeError(
    `${op}: input ${formatShape(x.shape)}; expected […, ${formatShape(shape).slice(1)}`,
  );
}

/**
 * Gives the elements over x's last axes mean 0 and variance 1: y = (x − mean) / √(variance + ε) · weight
 * + bias, where the variance is that of a whole population.
 * Source: Ba, Kiros & Hinton 2016, "Layer normalization", eq. 4.
 * @param normalizedShape sizes of these axes, or the size of the last; weight and bias are of it.
 * @throws ShapeError for other last axes, weights and biases.
 * @example layerNorm(zeros([8, 20, 64]), 64, { weight: ones([64]) });
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  options: LayerNormOptions = {},
  ...surplus: never[]
): Tensor {
  return layerNormOf("layerNorm", x, normalizedShape, options, surplus);
}

/** Does what `layerNorm` does, as `op`. */
export function layerNormOf(
  op: string,
  x: Tensor,
  normalizedShape: number | Shape,
  options: LayerNormOptions,
  surplus: readonly unknown[],
): Tensor {
  checkOptions(op, options, LAYER_NORM, surplus);
  const shape = lastSizes(op, normalizedShape);
  const axis = lastAxes(op, x, shape);
  const { weight, bias, epsilon = 1e-5 } = options;
  checkEpsilon(op, epsilon);
  checkOfShape(op, x, { weight, bias }, shape);
  return withAffine(standardized(op, x, axis, epsilon), options, axis[0]);
}

/**
 * Divides the elements over x's last axes by the root of their mean square: y = x / √(mean(x²) + ε) ·
 * weight.
 * Source: Zhang & Sennrich 2019, "Root mean square layer normalization", eq. 4.
 * @param normalizedShape sizes of these axes, or the size of the last; the weight is of it.
 * @throws ShapeError for other last axes and weights.
 * @example rmsNorm(zeros([8, 20, 64]), 64);
 */
export function rmsNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  options: RMSNormOptions = {},
  ...surplus: never[]
): Tensor {
  return rmsNormOf("rmsNorm", x, normalizedShape, options, surplus);
}

/** Does what `rmsNorm` does, as `op`. */
export function rmsNormOf(
  op: string,
  x: Tensor,
  normalizedShape: number | Shape,
  options: RMSNormOptions,
  surplus: readonly unknown[],
): Tensor {
  checkOptions(op, options, RMS_NORM, surplus);
  const shape = lastSizes(op, normalizedShape);
  const axis = lastAxes(op, x, shape);
  const { weight, epsilon = 2 ** -23 } = options;
  checkEpsilon(op, epsilon);
  checkOfShape(op, x, { weight }, shape);
  return withAffine(rootMeanSquared(op, x, axis, epsilon), options, axis[0]);
}
