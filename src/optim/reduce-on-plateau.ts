import {
  checkCounts,
  checkDecay,
  checkEach,
  checkNotNegative,
  checkOptions,
  checkWords,
  type Known,
} from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import type { Schedule } from "./learning-rate.ts";

/** Options of `ReduceOnPlateau`. */
export interface ReduceOnPlateauOptions {
  /** Whether the metric is better when it is smaller (`min`, when left out) or larger (`max`). */
  mode?: "min" | "max";
  /** What rates are multiplied by, in [0, 1); 0.1 when left out. */
  factor?: number;
  /** How many updates in a row may bring nothing better, an integer from 0; 10 when left out. */
  patience?: number;
  /** What counts as better than the best so far, from 0; 1e-4 when left out. */
  threshold?: number;
  /** Whether the threshold is a part of the best (`relative`, when left out) or `absolute`. */
  thresholdMode?: "relative" | "absolute";
  /** How many updates after a reduction are not counted, an integer from 0 (0 when left out). */
  cooldown?: number;
  /** What no rate falls below, from 0 (0 when left out). */
  minRate?: number;
}

const OPTIONS: Known<ReduceOnPlateauOptions> = {
  mode: "string",
  factor: true,
  patience: "number",
  threshold: true,
  thresholdMode: true,
  cooldown: true,
  minRate: true,
};

/** What is known of the metric so far, as plain data for a checkpoint. */
export interface PlateauState {
  /** The best metric; null before the first. */
  best: number | null;
  /** Updates in a row without a better one. */
  waited: number;
  /** Updates that are not counted yet. */
  resting: number;
}

/** Something whose rate is lowered: an optimizer that was made with a number. */
export interface RateHolder {
  /** What is lowered; a schedule is refused. */
  get learningRate(): number | Schedule;
  set learningRate(value: number);
}

/**
 * Lowers learning rates when a metric has stopped getting better: learningRate ←
 * max(factor · learningRate, minRate) once more than `patience` updates in a row were not better
 * than the best by `threshold`. NaN is never better. As PyTorch's `ReduceLROnPlateau`.
 * @throws GradusError for an unknown option or one out of its range, or an optimizer with a schedule.
 * @example
 * const plateau = new ReduceOnPlateau(optimizer, { patience: 3 });
 * plateau.update(validationLoss); // after each epoch
 */
export class ReduceOnPlateau {
  readonly options: Readonly<Required<ReduceOnPlateauOptions>>;
  readonly #holders: readonly RateHolder[];
  #state: PlateauState = { best: null, waited: 0, resting: 0 };

  /** Takes one optimizer, or several such as an `OptimizerGroup`'s members. */
  constructor(
    optimizers: RateHolder | readonly RateHolder[],
    options: ReduceOnPlateauOptions = {},
    ...surplus: never[]
  ) {
    checkOptions("ReduceOnPlateau", options, OPTIONS, surplus);
    const { mode = "min", factor = 0.1, patience = 10, threshold = 1e-4 } = options;
    const { thresholdMode = "relative", cooldown = 0, minRate = 0 } = options;
    checkWords("ReduceOnPlateau", { mode }, ["min", "max"]);
    checkWords("ReduceOnPlateau", { thresholdMode }, ["relative", "absolute"]);
    checkDecay("ReduceOnPlateau", { factor });
    checkNotNegative("ReduceOnPlateau", { threshold, minRate });
    checkCounts("ReduceOnPlateau", { patience, cooldown });
    this.options = { mode, factor, patience, threshold, thresholdMode, cooldown, minRate };
    this.#holders = [optimizers].flat();
    const isHolder = (x: unknown) => typeof x === "object" && x !== null && "learningRate" in x;
    const given = Object.fromEntries(this.#holders.map((holder, i) => [`input ${i}`, holder]));
    checkEach("ReduceOnPlateau", given, isHolder, "an optimizer");
    const scheduled = this.#holders.some(({ learningRate }) => typeof learningRate !== "number");
    if (!scheduled) return;
    throw new GradusError(
      "ReduceOnPlateau: an optimizer with a schedule; expected optimizers made with a number",
    );
  }

  /** Takes in the metric's next value; says whether it lowered the rates. */
  update(metric: number): boolean {
    const state = this.#state;
    if (this.#isBetter(metric)) {
      state.best = metric;
      state.waited = 0;
    } else state.waited++;
    if (state.resting > 0) {
      state.resting--;
      state.waited = 0;
    }
    if (state.waited <= this.options.patience) return false;
    this.#state = { best: state.best, waited: 0, resting: this.options.cooldown };
    return this.#reduce();
  }

  /** What must be kept, besides the rates, to go on later. */
  state(): PlateauState {
    return { ...this.#state };
  }

  /**
   * Goes on from what `state` gave.
   * @throws GradusError for anything else.
   */
  load(state: PlateauState): void {
    const { best, waited, resting } = (state ?? {}) as PlateauState;
    if (best !== null && typeof best !== "number") {
      throw new GradusError(
        `ReduceOnPlateau: best of type ${typeof best}; expected a number or null`,
      );
    }
    checkCounts("ReduceOnPlateau", { waited, resting });
    this.#state = { best, waited, resting };
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    const { best } = this.#state;
    if (best === null) return Number.isFinite(metric);
    const margin = thresholdMode === "relative" ? threshold * best : threshold;
    return mode === "min" ? metric < best - margin : metric > best + margin;
  }

  #reduce(): boolean {
    const { factor, minRate } = this.options;
    const rates = this.#holders.map(({ learningRate }) => learningRate as number);
    const lower = rates.map((rate) => Math.max(rate * factor, Math.min(rate, minRate)));
    this.#holders.forEach((holder, i) => {
      if (lower[i] < rates[i]) holder.learningRate = lower[i];
    });
    return lower.some((rate, i) => rate < rates[i]);
  }
}
