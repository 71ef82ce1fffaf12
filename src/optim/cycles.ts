import {
  checkNotNegative,
  checkNumbers,
  checkOptions,
  checkPositive,
  checkSteps,
  type Known,
} from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, mul, sub } from "../ops/arithmetic.ts";
import { less } from "../ops/compare.ts";
import { pow } from "../ops/pow.ts";
import { floor } from "../ops/rounding.ts";
import { where } from "../ops/where.ts";
import type { Schedule } from "./learning-rate.ts";
import { piecewiseConstant } from "./piecewise.ts";
import { cosineBetween, progress } from "./schedules.ts";

/** Options of `cosineRestarts`. */
export interface CosineRestartsOptions {
  /** Steps of the first cycle, an integer from 1. */
  steps: number;
  /** How many times as long as the one before each cycle is, an integer from 1 (when left out). */
  lengthening?: number;
  /** What each cycle starts with, as part of the start before, above 0; 1 when left out. */
  factor?: number;
  /** What every cycle ends at, from 0 (0 when left out). */
  finalRate?: number;
}

const COSINE_RESTARTS: Known<CosineRestartsOptions> = {
  steps: "number",
  lengthening: true,
  factor: true,
  finalRate: true,
};

/** Where a step lies: in which cycle it is, how far, and that cycle's first rate. */
interface CyclePlace {
  readonly passed: Tensor;
  readonly length: Tensor | number;
  readonly peak: Tensor | number;
}

/**
 * Lowers the rate along half a cosine, again and again from its start:
 *
 *     rate = finalRate + ½ (initialRate · factorⁱ − finalRate) (1 + cos(π · passed / length))
 *
 * in cycle i, of length steps · lengtheningⁱ, of which `passed` steps are over.
 * Source: Loshchilov & Hutter 2017, "SGDR: Stochastic gradient descent with warm restarts", eq. 5.
 * @throws GradusError for a number out of its range.
 * @example cosineRestarts(0.1, { steps: 10 * loader.stepsPerEpoch, lengthening: 2 });
 */
export function cosineRestarts(
  initialRate: number,
  options: CosineRestartsOptions,
  ...surplus: never[]
): Schedule {
  checkOptions("cosineRestarts", options, COSINE_RESTARTS, surplus);
  const { steps, lengthening = 1, factor = 1, finalRate = 0 } = options;
  checkNotNegative("cosineRestarts", { initialRate, finalRate });
  checkSteps("cosineRestarts", { steps, lengthening });
  checkPositive("cosineRestarts", { factor });
  const place =
    lengthening === 1
      ? equalCycles(initialRate, steps, factor)
      : longerCycles(initialRate, steps, lengthening, factor);
  return (step) => {
    const { passed, length, peak } = place(step);
    return cosineBetween(peak, finalRate, progress(passed, length));
  };
}

function equalCycles(rate: number, steps: number, factor: number): (step: Tensor) => CyclePlace {
  return (step) => {
    // Half a step more, since a device may round k · steps / steps to just below k.
    const cycle = floor(div(add(step, 0.5), steps));
    const peak = factor === 1 ? rate : mul(pow(factor, cycle), rate);
    return { passed: sub(step, mul(cycle, steps)), length: steps, peak };
  };
}

/** Finds the cycle among all that begin before the counter's end. */
function longerCycles(
  rate: number,
  steps: number,
  lengthening: number,
  factor: number,
): (step: Tensor) => CyclePlace {
  const starts = [0];
  const lengths = [steps];
  for (let end = steps; end < 2 ** 32; end += lengths[lengths.length - 1]) {
    starts.push(end);
    lengths.push(lengths[lengths.length - 1] * lengthening);
  }
  const peaks = starts.map((_, i) => rate * factor ** i);
  const [start, length, peak] = [starts, lengths, peaks].map((values) =>
    piecewiseConstant(values, starts.slice(1)),
  );
  return (step) => ({ passed: sub(step, start(step)), length: length(step), peak: peak(step) });
}

/** Options of `oneCycle`. */
export interface OneCycleOptions {
  /** Steps of the whole cycle, an integer from 1. */
  steps: number;
  /** The part of them in which the rate rises, above 0 and below 1; 0.3 when left out. */
  warmup?: number;
  /** maxRate divided by this is the first rate; above 0, 25 when left out. */
  initialDivisor?: number;
  /** The first rate divided by this is the last one; above 0, 1e4 when left out. */
  finalDivisor?: number;
}

const ONE_CYCLE: Known<OneCycleOptions> = {
  steps: "number",
  warmup: true,
  initialDivisor: true,
  finalDivisor: true,
};

/**
 * Raises the rate to `maxRate` along half a cosine, then lowers it far below where it began:
 * maxRate / initialDivisor at step 0, maxRate at step warmup · steps − 1, and
 * maxRate / (initialDivisor · finalDivisor) from step steps − 1 on.
 * Source: Smith & Topin 2018, "Super-convergence: Very fast training of neural networks using large
 * learning rates", in PyTorch's form.
 * @throws GradusError for a number out of its range, or a rise of no step.
 * @example oneCycle(0.1, { steps: epochs * loader.stepsPerEpoch });
 */
export function oneCycle(maxRate: number, options: OneCycleOptions, ...surplus: never[]): Schedule {
  checkOptions("oneCycle", options, ONE_CYCLE, surplus);
  const { steps, warmup = 0.3, initialDivisor = 25, finalDivisor = 1e4 } = options;
  checkNotNegative("oneCycle", { maxRate });
  checkSteps("oneCycle", { steps });
  checkPositive("oneCycle", { initialDivisor, finalDivisor });
  checkNumbers("oneCycle", { warmup });
  const top = warmup * steps - 1;
  if (!(top > 0 && warmup < 1)) {
    throw new GradusError(
      `oneCycle: warmup ${warmup} of ${steps} steps; expected a part below 1 of more than one step`,
    );
  }
  const initialRate = maxRate / initialDivisor;
  return (step) => {
    const rise = cosineBetween(initialRate, maxRate, progress(step, top));
    const down = progress(maximum(sub(step, top), 0), steps - 1 - top);
    const fall = cosineBetween(maxRate, initialRate / finalDivisor, down);
    return where(less(step, top), rise, fall);
  };
}
