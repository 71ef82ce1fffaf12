import { checkFinite, checkOptions, isInteger, type Known } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, mul, square } from "./arithmetic.ts";
import { channelAxis } from "./normalized.ts";
import { pad } from "./pad.ts";
import { pow } from "./pow.ts";
import { sum } from "./reduce.ts";
import { windows } from "./windows.ts";

/** Options of `localResponseNorm`. */
export interface LocalResponseNormOptions {
  /** α; 1e-4 when left out. */
  alpha?: number;
  /** β; 0.75 when left out. */
  beta?: number;
  /** k; 1 when left out. */
  k?: number;
  /** The axis of channels, counted from the end when negative; 1 when left out. */
  axis?: number;
}

/** The names of `LocalResponseNormOptions`. */
export const LOCAL_RESPONSE: Known<LocalResponseNormOptions> = {
  alpha: true,
  beta: true,
  k: true,
  axis: true,
};

/**
 * Divides each element by what channels beside it have at its place: y = x / (k + α · mean(x²))^β, with
 * the mean over `size` channels around its own, those that are not there being 0.
 * Source: Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural
 * networks", section 3.3; α is shared by the channels, as in PyTorch, which the paper's is not.
 * @param x floats `[n, channels, …]`, or with channels on another axis but the first.
 * @param size how many channels, from 1; of an even number one more lies before than behind.
 * @throws GradusError for a size that is no integer from 1.
 * @example localResponseNorm(zeros([8, 32, 14, 14]), 5);
 */
export function localResponseNorm(
  x: Tensor,
  size: number,
  options: LocalResponseNormOptions = {},
  ...surplus: never[]
): Tensor {
  return localResponseNormOf("localResponseNorm", x, size, options, surplus);
}

/** Does what `localResponseNorm` does, as `op`. */
export function localResponseNormOf(
  op: string,
  x: Tensor,
  size: number,
  options: LocalResponseNormOptions,
  surplus: readonly unknown[],
): Tensor {
  checkOptions(op, options, LOCAL_RESPONSE, surplus);
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  checkFinite(op, { alpha, beta, k });
  const axis = channelAxis(op, x, options.axis);
  if (!isInteger(size, 1)) {
    throw new GradusError(`${op}: size ${quote(size)}; expected an integer from 1`);
  }
  const before = Math.floor(size / 2);
  const edges = x.shape.map((_, i) => (i === axis ? [before, size - 1 - before] : [0, 0]));
  const squares = pad(square(x), edges as [number, number][]);
  const total = sum(windows(squares, size, { axis }), { axis: -1 });
  return div(x, pow(add(mul(total, alpha / size), k), beta));
}
