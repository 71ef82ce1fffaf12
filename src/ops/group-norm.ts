import { checkOptions, isInteger, type Known } from "../core/check.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import type { Tensor } from "../graph/tensor.ts";
import { checkGroups } from "./conv.ts";
import {
  type Affine,
  channelAxis,
  checkEpsilon,
  checkOfShape,
  standardized,
  withAffine,
} from "./normalized.ts";
import { inShape } from "./reshape.ts";

/** Options of `groupNorm` and `instanceNorm`. */
export interface GroupNormOptions extends Affine {
  /** ε, added to the variance, a finite number from 0; 1e-5 when left out. */
  epsilon?: number;
  /** The axis of channels, counted from the end when negative; 1 when left out. */
  axis?: number;
}

const GROUP_NORM: Known<GroupNormOptions> = {
  weight: true,
  bias: true,
  epsilon: "number",
  axis: true,
};

/**
 * Gives each group of channels of each example mean 0 and variance 1, and scales each channel: y = (x −
 * mean) / √(variance + ε) · weight + bias.
 * Source: Wu & He 2018, "Group normalization", eq. 1 and 7.
 * @param x floats `[n, channels, …]`, or with channels on another axis but the first.
 * @param groups how many, a divisor of the channels; one for each channel is `instanceNorm`.
 * @param options `weight` and `bias` of shape `[channels]`, `epsilon` and `axis`.
 * @throws ShapeError for groups of unequal sizes, and other weights and biases.
 * @example groupNorm(zeros([8, 32, 14, 14]), 4);
 */
export function groupNorm(
  x: Tensor,
  groups: number,
  options: GroupNormOptions = {},
  ...surplus: never[]
): Tensor {
  return groupNormOf("groupNorm", x, groups, options, surplus);
}

/**
 * Gives each channel of each example mean 0 and variance 1, and scales it: `groupNorm` with a group for
 * each channel.
 * Source: Ulyanov, Vedaldi & Lempitsky 2016, "Instance normalization", eq. 3.
 * @param x floats `[n, channels, …]`, or with channels on another axis but the first.
 * @throws ShapeError for weights and biases that are not `[channels]`.
 * @example instanceNorm(zeros([8, 32, 14, 14]));
 */
export function instanceNorm(
  x: Tensor,
  options: GroupNormOptions = {},
  ...surplus: never[]
): Tensor {
  return groupNormOf("instanceNorm", x, null, options, surplus);
}

/** Does what `groupNorm` does, as `op`, or for each channel where groups are null. */
export function groupNormOf(
  op: string,
  x: Tensor,
  groups: number | null,
  options: GroupNormOptions,
  surplus: readonly unknown[],
): Tensor {
  checkOptions(op, options, GROUP_NORM, surplus);
  const axis = channelAxis(op, x, options.axis);
  if (axis === 0) {
    throw new ShapeError(`${op}: axis 0, which is n; expected that of the channels`);
  }
  const channels = x.shape[axis];
  const count = groups ?? channels;
  if (groups !== null && !isInteger(groups, 1)) {
    throw new GradusError(`${op}: groups ${quote(groups)}; expected an integer from 1`);
  }
  checkGroups(op, channels, count);
  const { weight, bias, epsilon = 1e-5 } = options;
  checkEpsilon(op, epsilon);
  checkOfShape(op, x, { weight, bias }, [channels]);
  const split = [count, channels / Math.max(1, count)];
  const grouped = inShape(x, [...x.shape.slice(0, axis), ...split, ...x.shape.slice(axis + 1)]);
  const axes = [...grouped.shape.keys()].filter((i) => i !== 0 && i !== axis);
  return withAffine(inShape(standardized(op, grouped, axes, epsilon), x.shape), options, axis);
}
