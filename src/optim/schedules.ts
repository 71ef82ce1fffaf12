import {
  checkNotNegative,
  checkOptions,
  checkPositive,
  checkSteps,
  checkSurplus,
  type Known,
} from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, minimum, mul, sub } from "../ops/arithmetic.ts";
import { full } from "../ops/creation.ts";
import { pow } from "../ops/pow.ts";
import { floor } from "../ops/rounding.ts";
import { cos } from "../ops/unary.ts";
import { checkSchedules, type Schedule } from "./learning-rate.ts";

/**
 * Keeps one rate: what a warm-up may lead to.
 * @throws GradusError for a rate that is no finite number from 0.
 * @example linearWarmup(constantRate(0.1), { steps: 1000 });
 */
export function constantRate(rate: number, ...surplus: never[]): Schedule {
  checkSurplus("constantRate(rate)", surplus);
  checkNotNegative("constantRate", { rate });
  return ({ dtype, device }) => full([], rate, { dtype, device });
}

/** Options of `exponentialDecay`. */
export interface ExponentialDecayOptions {
  /** Steps over which the rate is multiplied by `decayRate` once, an integer from 1. */
  decaySteps: number;
  /** Factor, above 0. */
  decayRate: number;
}

const EXPONENTIAL_DECAY: Known<ExponentialDecayOptions> = { decaySteps: "number", decayRate: true };

/**
 * Multiplies the rate by the same factor each step:
 * rate = initialRate · decayRate^(step / decaySteps).
 * @throws GradusError for a number out of its range or an unknown option.
 * @example exponentialDecay(0.1, { decaySteps: 1000, decayRate: 0.5 });
 */
export function exponentialDecay(
  initialRate: number,
  options: ExponentialDecayOptions,
  ...surplus: never[]
): Schedule {
  checkOptions("exponentialDecay", options, EXPONENTIAL_DECAY, surplus);
  const { decaySteps, decayRate } = options;
  checkNotNegative("exponentialDecay", { initialRate });
  checkSteps("exponentialDecay", { decaySteps });
  checkPositive("exponentialDecay", { decayRate });
  return (step) => mul(pow(decayRate, div(step, decaySteps)), initialRate);
}

/** Options of `inverseTimeDecay`. */
export interface InverseTimeDecayOptions {
  /** Steps over which the divisor grows by `decayRate`, an integer from 1. */
  decaySteps: number;
  /** What the divisor grows by, from 0. */
  decayRate: number;
}

const INVERSE_TIME_DECAY: Known<InverseTimeDecayOptions> = {
  decaySteps: "number",
  decayRate: true,
};

/**
 * Divides the rate by a number that grows evenly:
 * rate = initialRate / (1 + decayRate · step / decaySteps).
 * Source: Robbins & Monro 1951, "A stochastic approximation method", whose conditions it meets.
 * @throws GradusError for a number out of its range or an unknown option.
 * @example inverseTimeDecay(0.1, { decaySteps: 1000, decayRate: 1 });
 */
export function inverseTimeDecay(
  initialRate: number,
  options: InverseTimeDecayOptions,
  ...surplus: never[]
): Schedule {
  checkOptions("inverseTimeDecay", options, INVERSE_TIME_DECAY, surplus);
  const { decaySteps, decayRate } = options;
  checkNotNegative("inverseTimeDecay", { initialRate, decayRate });
  checkSteps("inverseTimeDecay", { decaySteps });
  return (step) => div(initialRate, add(mul(div(step, decaySteps), decayRate), 1));
}

/** Options of `stepDecay`. */
export interface StepDecayOptions {
  /** Steps between two drops, an integer from 1. */
  every: number;
  /** Factor of a drop, above 0. */
  factor: number;
}

const STEP_DECAY: Known<StepDecayOptions> = { every: "number", factor: true };

/**
 * Multiplies the rate by a factor every so many steps:
 * rate = initialRate · factor^⌊step / every⌋.
 * @throws GradusError for a number out of its range or an unknown option.
 * @example stepDecay(0.1, { every: 30 * loader.stepsPerEpoch, factor: 0.1 });
 */
export function stepDecay(
  initialRate: number,
  options: StepDecayOptions,
  ...surplus: never[]
): Schedule {
  checkOptions("stepDecay", options, STEP_DECAY, surplus);
  const { every, factor } = options;
  checkNotNegative("stepDecay", { initialRate });
  checkSteps("stepDecay", { every });
  checkPositive("stepDecay", { factor });
  // Half a step more, since a device may round k · every / every to just below k.
  return (step) => mul(pow(factor, floor(div(add(step, 0.5), every))), initialRate);
}

/** Options of `polynomialDecay`. */
export interface PolynomialDecayOptions {
  /** Steps from the initial to the final rate, an integer from 1. */
  steps: number;
  /** What the rate stays at after them, from 0 (0 when left out). */
  finalRate?: number;
  /** Exponent, above 0; 1, a straight line, when left out. */
  power?: number;
}

const POLYNOMIAL_DECAY: Known<PolynomialDecayOptions> = {
  steps: "number",
  finalRate: true,
  power: true,
};

/**
 * Lowers the rate along a power and keeps the final one:
 * rate = finalRate + (initialRate − finalRate) · (1 − min(step / steps, 1))^power.
 * @throws GradusError for a number out of its range or an unknown option.
 * @example polynomialDecay(0.1, { steps: 10 * loader.stepsPerEpoch, power: 2 });
 */
export function polynomialDecay(
  initialRate: number,
  options: PolynomialDecayOptions,
  ...surplus: never[]
): Schedule {
  checkOptions("polynomialDecay", options, POLYNOMIAL_DECAY, surplus);
  const { steps, finalRate = 0, power = 1 } = options;
  checkNotNegative("polynomialDecay", { initialRate, finalRate });
  checkSteps("polynomialDecay", { steps });
  checkPositive("polynomialDecay", { power });
  return (step) => {
    const left = div(maximum(sub(steps, step), 0), steps); // 1 … 0, and 0 exactly from then on
    const share = power === 1 ? left : pow(left, power);
    return add(mul(share, initialRate - finalRate), finalRate);
  };
}

/** Options of `cosineDecay`. */
export interface CosineDecayOptions {
  /** Steps from the initial to the final rate, an integer from 1. */
  steps: number;
  /** What the rate stays at after them, from 0 (0 when left out). */
  finalRate?: number;
}

const COSINE_DECAY: Known<CosineDecayOptions> = { steps: "number", finalRate: true };

/**
 * Lowers the rate along half a cosine and keeps the final one:
 * rate = finalRate + ½ (initialRate − finalRate) (1 + cos(π · min(step / steps, 1))).
 * Source: Loshchilov & Hutter 2017, "SGDR: Stochastic gradient descent with warm restarts", eq. 5,
 * without restarts.
 * @throws GradusError for a number out of its range or an unknown option.
 * @example cosineDecay(0.1, { steps: 10 * loader.stepsPerEpoch });
 */
export function cosineDecay(
  initialRate: number,
  options: CosineDecayOptions,
  ...surplus: never[]
): Schedule {
  checkOptions("cosineDecay", options, COSINE_DECAY, surplus);
  const { steps, finalRate = 0 } = options;
  checkNotNegative("cosineDecay", { initialRate, finalRate });
  checkSteps("cosineDecay", { steps });
  return (step) => cosineBetween(initialRate, finalRate, progress(step, steps));
}

/** Options of `linearWarmup`. */
export interface LinearWarmupOptions {
  /** Steps until the schedule behind begins, an integer from 1. */
  steps: number;
  /** Rate of the first step, from 0 (0 when left out). */
  initialRate?: number;
}

const LINEAR_WARMUP: Known<LinearWarmupOptions> = { steps: "number", initialRate: true };

/**
 * Raises the rate evenly to where `then` begins, and goes on with that, its steps counted from the
 * end of the warm-up.
 * Source: Goyal et al. 2017, "Accurate, large minibatch SGD", section 2.2.
 * @throws GradusError for a number out of its range or an unknown option.
 * @example linearWarmup(cosineDecay(0.1, { steps: 9000 }), { steps: 1000 });
 */
export function linearWarmup(
  then: Schedule,
  options: LinearWarmupOptions,
  ...surplus: never[]
): Schedule {
  checkOptions("linearWarmup", options, LINEAR_WARMUP, surplus);
  checkSchedules("linearWarmup", { then });
  const { steps, initialRate = 0 } = options;
  checkSteps("linearWarmup", { steps });
  checkNotNegative("linearWarmup", { initialRate });
  return (step) => {
    const rate = then(maximum(sub(step, steps), 0)); // its first one until the warm-up is over
    const done = progress(step, steps);
    return add(mul(sub(1, done), initialRate), mul(rate, done));
  };
}

/** Goes from one rate to another along half a cosine while `done` goes from 0 to 1. */
export function cosineBetween(from: Tensor | number, to: number, done: Tensor): Tensor {
  const wave = add(cos(mul(done, Math.PI)), 1); // 2 … 0
  const height = typeof from === "number" ? (from - to) / 2 : mul(sub(from, to), 0.5);
  return add(mul(wave, height), to);
}

/** Goes from one rate to another along a line while `done` goes from 0 to 1. */
export function lineBetween(from: number, to: number, done: Tensor): Tensor {
  return add(mul(sub(1, done), from), mul(done, to));
}

/** step / steps, at most 1. */
export function progress(step: Tensor, steps: Tensor | number): Tensor {
  return minimum(div(step, steps), 1);
}
