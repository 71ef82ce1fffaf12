import {
  checkNotNegative,
  checkOptions,
  checkPositive,
  checkSurplus,
  describeValue,
  type Known,
} from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { maximum, sub } from "../ops/arithmetic.ts";
import { greaterEqual } from "../ops/compare.ts";
import { where } from "../ops/where.ts";
import { checkSchedules, type Schedule } from "./learning-rate.ts";
import { constantRate } from "./schedules.ts";

/**
 * Takes one rate after the other: `rates[0]` first, and `rates[i + 1]` from step `boundaries[i]` on.
 * @throws GradusError unless the boundaries are rising integers from 1, one fewer than the rates.
 * @example piecewiseConstant([0.1, 0.01, 0.001], [3000, 4000]);
 */
export function piecewiseConstant(
  rates: readonly number[],
  boundaries: readonly number[],
  ...surplus: never[]
): Schedule {
  checkSurplus("piecewiseConstant(rates, boundaries)", surplus);
  checkLists("piecewiseConstant", { rates, boundaries });
  rates.forEach((rate, i) => {
    checkNotNegative("piecewiseConstant", { [`rates[${i}]`]: rate });
  });
  checkBoundaries("piecewiseConstant", "rates", rates, boundaries);
  return (step) => {
    const first = constantRate(rates[0])(step);
    return boundaries.reduce((rate, boundary, i) => {
      return where(greaterEqual(step, boundary), rates[i + 1], rate);
    }, first);
  };
}

/** Options of `multiStepDecay`. */
export interface MultiStepDecayOptions {
  /** Steps from which the rate is lower once more, rising integers from 1. */
  milestones: readonly number[];
  /** Factor of a drop, above 0; 0.1 when left out. */
  factor?: number;
}

const MULTI_STEP_DECAY: Known<MultiStepDecayOptions> = { milestones: true, factor: true };

/**
 * Multiplies the rate by a factor at each milestone:
 * rate = initialRate · factor^(number of milestones that are not above step).
 * @throws GradusError for a number out of its range.
 * @example multiStepDecay(0.1, { milestones: [3000, 4000] });
 */
export function multiStepDecay(
  initialRate: number,
  options: MultiStepDecayOptions,
  ...surplus: never[]
): Schedule {
  checkOptions("multiStepDecay", options, MULTI_STEP_DECAY, surplus);
  const { milestones, factor = 0.1 } = options;
  checkNotNegative("multiStepDecay", { initialRate });
  checkPositive("multiStepDecay", { factor });
  checkLists("multiStepDecay", { milestones });
  const rates = [0, ...milestones].map((_, i) => initialRate * factor ** i);
  checkBoundaries("multiStepDecay", "rates", rates, milestones, "milestones");
  return piecewiseConstant(rates, milestones);
}

/**
 * Follows one schedule after the other: `schedules[0]` first, and `schedules[i + 1]` from step
 * `boundaries[i]` on, where its own steps count from 0.
 * @throws GradusError unless the boundaries are rising integers from 1, one fewer than the
 * schedules.
 * @example joinSchedules([constantRate(0.1), cosineDecay(0.1, { steps: 9000 })], [1000]);
 */
export function joinSchedules(
  schedules: readonly Schedule[],
  boundaries: readonly number[],
  ...surplus: never[]
): Schedule {
  checkSurplus("joinSchedules(schedules, boundaries)", surplus);
  checkLists("joinSchedules", { schedules, boundaries });
  schedules.forEach((schedule, i) => {
    checkSchedules("joinSchedules", { [`schedules[${i}]`]: schedule });
  });
  checkBoundaries("joinSchedules", "schedules", schedules, boundaries);
  return (step) =>
    boundaries.reduce((rate, boundary, i) => {
      const next = schedules[i + 1](maximum(sub(step, boundary), 0));
      return where(greaterEqual(step, boundary), next, rate);
    }, schedules[0](step));
}

function checkLists(op: string, given: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(given)) {
    if (Array.isArray(value)) continue;
    throw new GradusError(`${op}: ${name} ${describeValue(value)}; expected an array`);
  }
}

function checkBoundaries(
  op: string,
  what: string,
  pieces: readonly unknown[],
  boundaries: readonly number[],
  name = "boundaries",
): void {
  const isRising = boundaries.every(
    (x, i) => Number.isSafeInteger(x) && x > (i === 0 ? 0 : boundaries[i - 1]),
  );
  if (isRising && boundaries.length === pieces.length - 1) return;
  throw new GradusError(
    `${op}: ${name} [${boundaries.join(", ")}] for ${pieces.length} ${what}; ` +
      `expected rising integers from 1, one fewer than ${what}`,
  );
}
