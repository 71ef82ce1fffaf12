import { checkDecay, checkFunctions, checkOptions, type Known } from "../core/check.ts";
import { dispose } from "../core/dispose.ts";
import { GradusError } from "../core/errors.ts";
import type { Device } from "../graph/device.ts";
import { assignAll, type Parameter, State } from "../graph/state.ts";
import { loadMove, type Tensor } from "../graph/tensor.ts";
import { type KnownByIdentity, traceKey } from "../graph/trace-key.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { tensor } from "../ops/creation.ts";
import { parametersOf } from "./check.ts";
import { biasCorrection } from "./formulas.ts";
import type { Schedule } from "./learning-rate.ts";
import type { Assignment, Parameters } from "./optimizer.ts";

/** Options of `WeightAverage`. */
export interface WeightAverageOptions {
  /**
   * β, how much of the average stays at each update, in [0, 1), or a function that computes it from
   * the number of finished updates as a `Schedule` does; 0.999 when left out.
   */
  decay?: number | Schedule;
  /** Whether the initial weights count for nothing: β = 0 at the first update; false if left out. */
  biasCorrection?: boolean;
}

const OPTIONS: Known<WeightAverageOptions> = { decay: "number", biasCorrection: "boolean" };

/**
 * Averages the weights that training goes through, which often do better than the last:
 *
 *     a ← β a + (1 − β) p
 *
 * starting at the initial weights. With `biasCorrection` they count for nothing: the average is that
 * of a start at 0 divided by 1 − βᵗ, which is β = (β₀ − β₀ᵗ) / (1 − β₀ᵗ) at update t, from 1.
 * Source: Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging"; Izmailov
 * et al. 2018, "Averaging weights leads to wider optima and better generalization".
 *
 * `update` belongs behind the optimizer's step, in the same compiled function if there is one.
 * @throws GradusError for no parameters, one given twice, or a decay out of its range.
 * @example
 * const average = new WeightAverage(model.parameters(), { decay: 0.99 });
 * const step = compile((batch: Batch) => {
 *   optimizer.step(loss(model, batch));
 *   average.update();
 * });
 * const accuracy = await average.during(() => evaluateAccuracy(model, testData));
 * @example new WeightAverage(p, { decay: (t) => div(t, add(t, 1)) }); // the mean of all
 * @example
 * // A decay that rises: min(0.999, (1 + t) / (10 + t)).
 * new WeightAverage(p, { decay: (t) => minimum(0.999, div(add(t, 1), add(t, 10))) });
 */
export class WeightAverage implements KnownByIdentity {
  readonly parameters: readonly Parameter[];
  /** The averages, one for each parameter in order. */
  readonly averages: readonly State[];
  /** The number of finished updates, a u32 scalar. */
  readonly counter: State;
  readonly #weight: (updates: Tensor) => Tensor | number;

  constructor(parameters: Parameters, options: WeightAverageOptions = {}, ...surplus: never[]) {
    checkOptions("WeightAverage", options, OPTIONS, surplus);
    this.#weight = weightOf(options);
    this.parameters = parametersOf("WeightAverage", parameters);
    this.averages = this.parameters.map((p) => new State(p, { name: `${p.name}.average` }));
    const { device } = this.parameters[0];
    this.counter = new State(tensor(0, { device, dtype: "u32" }), { name: "updates" });
  }

  /** Takes the parameters' present values into the averages. */
  update(): void {
    const weight = this.#weight(cast(this.counter, this.parameters[0].dtype));
    const next = this.parameters.map((p, i): Assignment => {
      const a = this.averages[i];
      return [a, add(a, mul(sub(p, a), weight))]; // stays what it is where p is equal to it
    });
    assignAll([...next, [this.counter, add(this.counter, 1)]]);
  }

  /** Exchanges parameters and averages; a second time, they are as before. */
  swap(): void {
    assignAll(
      this.parameters.flatMap((p, i): Assignment[] => [
        [p, this.averages[i]],
        [this.averages[i], p],
      ]),
    );
  }

  /** Runs a function while the parameters have the averages' values. */
  async during<T>(fn: () => T | Promise<T>): Promise<T> {
    checkFunctions("WeightAverage", { fn });
    this.swap();
    try {
      return await fn();
    } finally {
      this.swap();
    }
  }

  /** The counter as `updates` and all averages by name, such as `hidden.weight.average`. */
  state(): ReadonlyMap<string, State> {
    const states = new Map([[this.counter.name, this.counter]]);
    for (const [i, average] of this.averages.entries()) {
      const { name } = average;
      states.set(states.has(name) ? `${this.parameters[i].name}.${i}.average` : name, average);
    }
    return states;
  }

  /** Moves the averages to another device, as `Module.to` does the parameters. */
  async to(device: Device, ...surplus: never[]): Promise<this> {
    await (await loadMove()).moveStates([this.counter, ...this.averages], device, surplus);
    return this;
  }

  /** Compiled functions know it by identity. */
  [traceKey](): string {
    return "";
  }

  /** Frees the averages, not the parameters. */
  dispose(): void {
    for (const state of [this.counter, ...this.averages]) state.dispose();
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }
}

/** 1 − β of an update, from the number of finished ones. */
function weightOf(options: WeightAverageOptions): (updates: Tensor) => Tensor | number {
  const { decay = 0.999, biasCorrection: isCorrected = false } = options;
  if (typeof decay === "function") {
    if (isCorrected) {
      throw new GradusError(
        "WeightAverage: biasCorrection of a decay that changes; expected a number as decay",
      );
    }
    return (updates) => sub(1, decay(updates));
  }
  checkDecay("WeightAverage", { decay });
  if (!isCorrected) return () => 1 - decay;
  return (updates) => div(1 - decay, biasCorrection(decay, add(updates, 1)));
}
