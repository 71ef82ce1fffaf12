import { checkOptions, type Known } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { type Moments, moments } from "./moments.ts";
import {
  type Affine,
  centered,
  channelAxis,
  checkEpsilon,
  checkOfShape,
  standardized,
  withAffine,
} from "./normalized.ts";
import { inShape } from "./reshape.ts";
import { rsqrt } from "./root.ts";
import { asRows } from "./rows.ts";

/** Options of `batchNorm`. */
export interface BatchNormOptions extends Affine {
  /** Means of channels in place of the batch's, with `variance`: `[channels]`. */
  mean?: Tensor;
  /** Variances of channels in place of the batch's, with `mean`: `[channels]`. */
  variance?: Tensor;
  /** ε, added to the variance, a finite number from 0; 1e-5 when left out. */
  epsilon?: number;
  /** The axis of channels, counted from the end when negative; 1 when left out. */
  axis?: number;
}

const BATCH_NORM: Known<BatchNormOptions> = {
  mean: true,
  variance: true,
  weight: true,
  bias: true,
  epsilon: "number",
  axis: true,
};

/**
 * Gives each channel of a batch mean 0 and variance 1, or what it has of means and variances that are
 * given, as while a model is evaluated: y = (x − mean) / √(variance + ε) · weight + bias.
 * Source: Ioffe & Szegedy 2015, "Batch normalization", algorithm 1.
 * @param x floats `[n, channels, …]`, or with channels on another axis but the first.
 * @param options `mean` and `variance`, `weight` and `bias`, all `[channels]`; `epsilon` and `axis`.
 * @throws ShapeError for others; GradusError for a mean without a variance.
 * @example batchNorm(zeros([8, 32, 14, 14]));
 */
export function batchNorm(x: Tensor, options: BatchNormOptions = {}, ...surplus: never[]): Tensor {
  return batchNormOf("batchNorm", x, options, surplus);
}

/** Does what `batchNorm` does, as `op`. */
export function batchNormOf(
  op: string,
  x: Tensor,
  options: BatchNormOptions,
  surplus: readonly unknown[],
): Tensor {
  checkOptions(op, options, BATCH_NORM, surplus);
  const axis = channelAxis(op, x, options.axis);
  const { mean, variance, weight, bias, epsilon = 1e-5 } = options;
  checkEpsilon(op, epsilon);
  const channels = [x.shape[axis]];
  checkOfShape(op, x, { weight, bias }, channels);
  if ((mean === undefined) !== (variance === undefined)) {
    throw new GradusError(`${op}: one of mean and variance; expected both, or none`);
  }
  if (mean === undefined || variance === undefined) {
    return withAffine(standardized(op, x, othersOf(x, axis), epsilon), options, axis);
  }
  checkOfShape(op, x, { mean, variance }, channels);
  const along = (own: Tensor) => inShape(own, [...channels, ...Array(x.rank - axis - 1).fill(1)]);
  const rest = sub(x, along(mean));
  return withAffine(mul(rest, along(rsqrt(add(variance, epsilon)))), options, axis);
}

/** All axes but one. */
function othersOf(x: Tensor, axis: number): number[] {
  return [...x.shape.keys()].filter((i) => i !== axis);
}

/** The moments of each channel of a batch, as `batchNorm` finds them. */
export function channelMoments(op: string, x: Tensor, axis: number): Moments {
  const rows = asRows(op, x, { axis: othersOf(x, axis) });
  if (x.size === 0) return moments(rows.x, { axis: 1 });
  const { mean, variance } = centered(rows.x);
  return { mean: rows.restore(mean), variance: rows.restore(variance) };
}
