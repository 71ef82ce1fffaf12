import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, minimum, mul, sub } from "../ops/arithmetic.ts";
import { full } from "../ops/creation.ts";
import { pow } from "../ops/pow.ts";
import { cos, floor } from "../ops/unary.ts";
import { checkNotNegative, checkPositive, checkSteps } from "./check.ts";
import type { Schedule } from "./learning-rate.ts";

/** Keeps one rate: what a warm-up may lead to. */
export function constant(rate: number): Schedule {
  checkNotNegative("constant", "rate", rate);
  return ({ dtype, device }) => full([], rate, { dtype, device });
}

/** Options of `exponentialDecay`. */
export interface ExponentialDecayOptions {
  /** Steps over which the rate is multiplied by `decayRate` once, an integer from 1. */
  decaySteps: number;
  /** Factor, above 0. */
  decayRate: number;
}

/**
 * Multiplies the rate by the same factor each step:
 * rate = initialRate · decayRate^(step / decaySteps).
 * @throws GradusError for a number out of its range.
 * @example exponentialDecay(0.1, { decaySteps: 1000, decayRate: 0.5 });
 */
export function exponentialDecay(initialRate: number, options: ExponentialDecayOptions): Schedule {
  const { decaySteps, decayRate } = options;
  checkNotNegative("exponentialDecay", "initialRate", initialRate);
  checkSteps("exponentialDecay", "decaySteps", decaySteps);
  checkPositive("exponentialDecay", "decayRate", decayRate);
  return (step) => mul(pow(decayRate, div(step, decaySteps)), initialRate);
}

/** Options of `stepDecay`. */
export interface StepDecayOptions {
  /** Steps between two drops, an integer from 1. */
  every: number;
  /** Factor of a drop, above 0. */
  factor: number;
}

/**
 * Multiplies the rate by a factor every so many steps:
 * rate = initialRate · factor^⌊step / every⌋.
 * @throws GradusError for a number out of its range.
 * @example stepDecay(0.1, { every: 30 * loader.stepsPerEpoch, factor: 0.1 });
 */
export function stepDecay(initialRate: number, { every, factor }: StepDecayOptions): Schedule {
  checkNotNegative("stepDecay", "initialRate", initialRate);
  checkSteps("stepDecay", "every", every);
  checkPositive("stepDecay", "factor", factor);
  // Half a step more, since a device may round k · every / every to just below k.
  return (step) => mul(pow(factor, floor(div(add(step, 0.5), every))), initialRate);
}

/** Options of `cosineDecay`. */
export interface CosineDecayOptions {
  /** Steps from the initial to the final rate, an integer from 1. */
  steps: number;
  /** What the rate stays at after them, from 0 (0 when left out). */
  finalRate?: number;
}

/**
 * Lowers the rate along half a cosine and keeps the final one:
 * rate = finalRate + ½ (initialRate − finalRate) (1 + cos(π · min(step / steps, 1))).
 * Source: Loshchilov & Hutter 2017, "SGDR: Stochastic gradient descent with warm restarts", eq. 5,
 * without restarts.
 * @throws GradusError for a number out of its range.
 * @example cosineDecay(0.1, { steps: 10 * loader.stepsPerEpoch });
 */
export function cosineDecay(initialRate: number, options: CosineDecayOptions): Schedule {
  const { steps, finalRate = 0 } = options;
  checkNotNegative("cosineDecay", "initialRate", initialRate);
  checkSteps("cosineDecay", "steps", steps);
  checkNotNegative("cosineDecay", "finalRate", finalRate);
  return (step) => {
    const wave = add(cos(mul(progress(step, steps), Math.PI)), 1); // 2 … 0
    return add(mul(wave, (initialRate - finalRate) / 2), finalRate);
  };
}

/** Options of `linearWarmup`. */
export interface LinearWarmupOptions {
  /** Steps until the schedule behind begins, an integer from 1. */
  steps: number;
  /** Rate of the first step, from 0 (0 when left out). */
  initialRate?: number;
}

/**
 * Raises the rate evenly to where `then` begins, and goes on with that, its steps counted from the
 * end of the warm-up.
 * Source: Goyal et al. 2017, "Accurate, large minibatch SGD", section 2.2.
 * @throws GradusError for a number out of its range.
 * @example linearWarmup(cosineDecay(0.1, { steps: 9000 }), { steps: 1000 });
 */
export function linearWarmup(then: Schedule, options: LinearWarmupOptions): Schedule {
  const { steps, initialRate = 0 } = options;
  checkSteps("linearWarmup", "steps", steps);
  checkNotNegative("linearWarmup", "initialRate", initialRate);
  return (step) => {
    const rate = then(maximum(sub(step, steps), 0)); // its first one until the warm-up is over
    const done = progress(step, steps);
    return add(mul(sub(1, done), initialRate), mul(rate, done));
  };
}

/** step / steps, at most 1. */
function progress(step: Tensor, steps: number): Tensor {
  return minimum(div(step, steps), 1);
}
