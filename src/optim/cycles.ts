import {
  checkNotNegative,
  checkNumbers,
  checkOptions,
  checkPositive,
  checkSteps,
  checkWords,
  type Known,
} from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, minimum, mul, sub } from "../ops/arithmetic.ts";
import { less } from "../ops/compare.ts";
import { pow } from "../ops/pow.ts";
import { floor } from "../ops/rounding.ts";
import { where } from "../ops/where.ts";
import type { Schedule } from "./learning-rate.ts";
import { piecewiseConstant } from "./piecewise.ts";
import { cosineBetween, lineBetween, progress } from "./schedules.ts";

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
    const { cycle, passed } = cycleOf(step, steps);
    return { passed, length: steps, peak: factor === 1 ? rate : mul(pow(factor, cycle), rate) };
  };
}

/** In which of equal cycles a step lies, and how many steps of it are over. */
function cycleOf(step: Tensor, steps: number): { cycle: Tensor; passed: Tensor } {
  // Half a step more, since a device may round k · steps / steps to just below k.
  const cycle = floor(div(add(step, 0.5), steps));
  return { cycle, passed: sub(step, mul(cycle, steps)) };
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
  /** Whether the rate goes along half a cosine or a line; `cosine` when left out. */
  shape?: "cosine" | "linear";
}

const ONE_CYCLE: Known<OneCycleOptions> = {
  steps: "number",
  warmup: true,
  initialDivisor: true,
  finalDivisor: true,
  shape: true,
};

const WAYS = { cosine: cosineBetween, linear: lineBetween };

/**
 * Raises the rate to `maxRate` along half a cosine or a line, then lowers it far below where it began:
 * maxRate / initialDivisor at step 0, maxRate at step warmup · steps − 1, and
 * maxRate / (initialDivisor · finalDivisor) from step steps − 1 on.
 * Source: Smith & Topin 2018, "Super-convergence: Very fast training of neural networks using large
 * learning rates", in PyTorch's form.
 * @throws GradusError for a number out of its range, or a rise of no step.
 * @example oneCycle(0.1, { steps: epochs * loader.stepsPerEpoch });
 */
export function oneCycle(maxRate: number, options: OneCycleOptions, ...surplus: never[]): Schedule {
  checkOptions("oneCycle", options, ONE_CYCLE, surplus);
  const {
    steps,
    warmup = 0.3,
    initialDivisor = 25,
    finalDivisor = 1e4,
    shape = "cosine",
  } = options;
  checkWords("oneCycle", { shape }, Object.keys(WAYS));
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
    const rise = WAYS[shape](initialRate, maxRate, progress(step, top));
    const down = progress(maximum(sub(step, top), 0), steps - 1 - top);
    const fall = WAYS[shape](maxRate, initialRate / finalDivisor, down);
    return where(less(step, top), rise, fall);
  };
}

/** How the cycles of `cyclic` become lower. */
export type CyclicMode = "triangular" | "triangular2" | "exponential";

/** Options of `cyclic`. */
export interface CyclicOptions {
  /** Steps in which the rate rises, an integer from 1. */
  stepsUp: number;
  /** Steps in which it falls, an integer from 1; as many when left out. */
  stepsDown?: number;
  /**
   * `triangular`: all cycles are as high; `triangular2`: each half as high as the one before;
   * `exponential`: `gamma` times as high with each step. `triangular` when left out.
   */
  mode?: CyclicMode;
  /** γ, above 0; 1 when left out. */
  gamma?: number;
}

const CYCLIC: Known<CyclicOptions> = {
  stepsUp: "number",
  stepsDown: true,
  mode: true,
  gamma: true,
};

const HEIGHTS: Record<CyclicMode, (cycle: Tensor, step: Tensor, gamma: number) => Tensor | number> =
  {
    triangular: () => 1,
    triangular2: (cycle) => pow(0.5, cycle),
    exponential: (_, step, gamma) => pow(gamma, step),
  };

/**
 * Raises the rate from `baseRate` to `maxRate` along a line and lowers it again, over and over:
 *
 *     rate = baseRate + (maxRate − baseRate) · height · share
 *
 * with a share that goes from 0 to 1 in stepsUp steps and back in stepsDown.
 * Source: Smith 2017, "Cyclical learning rates for training neural networks", section 3.
 * @throws GradusError for a number out of its range.
 * @example cyclic(0.001, 0.01, { stepsUp: 2 * loader.stepsPerEpoch, mode: "triangular2" });
 */
export function cyclic(
  baseRate: number,
  maxRate: number,
  options: CyclicOptions,
  ...surplus: never[]
): Schedule {
  checkOptions("cyclic", options, CYCLIC, surplus);
  const { stepsUp, stepsDown = stepsUp, mode = "triangular", gamma = 1 } = options;
  checkNotNegative("cyclic", { baseRate, maxRate });
  checkSteps("cyclic", { stepsUp, stepsDown });
  checkWords("cyclic", { mode }, Object.keys(HEIGHTS));
  checkPositive("cyclic", { gamma });
  const steps = stepsUp + stepsDown;
  return (step) => {
    const { passed, cycle } = cycleOf(step, steps);
    const share = minimum(div(passed, stepsUp), div(sub(steps, passed), stepsDown));
    const height = mul(share, HEIGHTS[mode](cycle, step, gamma));
    return add(mul(height, maxRate - baseRate), baseRate);
  };
}
