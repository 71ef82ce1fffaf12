import { checkDecay, checkEach, checkOptions, type Known } from "../core/check.ts";

/** Options of `exponentialMovingAverage`. */
export interface MovingAverageOptions {
  /** β, how much of the average stays at each value, in [0, 1); 0.9 when left out. */
  decay?: number;
  /** Whether averages of the first values are scaled as if the start were not 0; false if left out. */
  biasCorrection?: boolean;
}

const OPTIONS: Known<MovingAverageOptions> = { decay: "number", biasCorrection: "boolean" };

/**
 * Smooths a series of numbers, as of losses for a plot:
 *
 *     vₜ = β vₜ₋₁ + (1 − β) xₜ          (biasCorrection: vₜ / (1 − βᵗ))
 *
 * starting at v₀ = 0 and t = 1, in float64. The average spans some 1 / (1 − β) values. Source:
 * Roberts 1959, "Control chart tests based on geometric moving averages"; the correction is that of
 * Kingma & Ba 2015, "Adam: A method for stochastic optimization", section 3.
 * @returns one average for each value.
 * @throws GradusError unless the decay is in [0, 1).
 * @example exponentialMovingAverage(losses, { decay: 0.98, biasCorrection: true });
 */
export function exponentialMovingAverage(
  series: Iterable<number>,
  options: MovingAverageOptions = {},
  ...surplus: never[]
): number[] {
  checkOptions("exponentialMovingAverage", options, OPTIONS, surplus);
  const { decay = 0.9, biasCorrection = false } = options;
  checkDecay("exponentialMovingAverage", { decay });
  const isIterable = typeof series?.[Symbol.iterator] === "function";
  checkEach("exponentialMovingAverage", { series }, () => isIterable, "numbers, as in an array");
  let v = 0;
  let past = 1; // βᵗ
  return Array.from(series, (x) => {
    v = decay * v + (1 - decay) * x;
    past *= decay;
    return biasCorrection ? v / (1 - past) : v;
  });
}
