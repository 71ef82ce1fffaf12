import { GradusError } from "../core/errors.ts";
import { grad } from "../graph/grad.ts";
import { assignAll, type Parameter, State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add } from "../ops/arithmetic.ts";
import { tensor, zeros } from "../ops/creation.ts";
import { LearningRate, type Schedule } from "./learning-rate.ts";

/** A state and its next value. */
export type Assignment = readonly [State, Tensor];

/** Parameters to train: a list, or a map from names as modules give it. */
export type Parameters = readonly Parameter[] | ReadonlyMap<string, Parameter>;

/** Gives one limited gradient for each gradient, as `clipByValue` and `clipByGlobalNorm` do. */
export type Clip = (gradients: readonly Tensor[]) => readonly Tensor[];

/** Options that every optimizer has. */
export interface OptimizerOptions {
  /** Step size, a finite number from 0, or a schedule that computes it from the step. */
  learningRate: number | Schedule;
  /** Limits the gradients before they are used: `(g) => clipByGlobalNorm(g, 1).gradients`. */
  clip?: Clip;
}

/**
 * Changes parameters so that a loss falls. One step is one plan: gradients, all slots and all
 * parameters are computed from the old values and assigned together.
 */
export abstract class Optimizer {
  readonly parameters: readonly Parameter[];
  /** The number of finished steps, a u32 scalar. */
  readonly counter: State;
  readonly clip: Clip;
  readonly #rate: LearningRate;
  readonly #states = new Map<string, State>();

  /** Throws a `GradusError` for no parameters, one given twice, or an option out of its range. */
  constructor(parameters: Parameters, { learningRate, clip = (g) => g }: OptimizerOptions) {
    this.parameters = Array.isArray(parameters) ? [...parameters] : [...parameters.values()];
    checkParameters(this.parameters);
    this.clip = clip;
    const { device, dtype } = this.parameters[0];
    this.counter = new State(tensor(0, { device, dtype: "u32" }), { name: "step" });
    this.#states.set("step", this.counter);
    this.#rate = new LearningRate(learningRate, this.counter, dtype);
  }

  /**
   * Step size: the number, or the schedule that computes it. Setting a number writes it to the
   * device and leaves the plan as it is.
   * @throws GradusError when set to no finite number from 0, or on an optimizer with a schedule.
   */
  get learningRate(): number | Schedule {
    return this.#rate.value;
  }
  set learningRate(value: number) {
    this.#rate.set(value);
  }

  /** The step size of the next step as a scalar on the device, for use in formulas. */
  get rate(): Tensor {
    return this.#rate.tensor;
  }

  /** The counter as `step` and all slots by name, such as `hidden.weight.momentum`. */
  state(): ReadonlyMap<string, State> {
    return this.#states;
  }

  /**
   * Gives the next values of the parameters and slots from one gradient for each parameter, as
   * formulas of states: numbers that change from step to step come from `rate` and `counter`.
   */
  protected abstract update(gradients: readonly Tensor[]): readonly Assignment[];

  /**
   * Makes one step down the gradient of `loss`, a scalar, and evaluates `loss` and `also` with it.
   * @throws GradusError when the loss does not depend on a parameter.
   */
  step(loss: Tensor, also: readonly Tensor[] = []): void {
    this.apply(grad(loss, this.parameters), [loss, ...also]);
  }

  /** Makes one step with given gradients, one for each parameter in order. */
  apply(gradients: readonly Tensor[], also: readonly Tensor[] = []): void {
    this.#checkCount("gradients", gradients);
    const limited = this.clip(gradients);
    this.#checkCount("clipped gradients", limited);
    assignAll([...this.update(limited), [this.counter, add(this.counter, 1)]], also);
  }

  #checkCount(what: string, gradients: readonly Tensor[]): void {
    if (gradients.length === this.parameters.length) return;
    throw new GradusError(
      `optimizer: ${gradients.length} ${what}; expected ${this.parameters.length}, ` +
        "one for each parameter",
    );
  }

  /** Makes a slot of zeros for each parameter. */
  protected makeSlots(name: string): State[] {
    return this.parameters.map((p, i) => {
      const { device, dtype } = p;
      const own = this.#states.has(`${p.name}.${name}`) ? `${p.name}.${i}` : p.name;
      const slot = new State(zeros(p.shape, { device, dtype }), { name: `${own}.${name}` });
      this.#states.set(slot.name, slot);
      return slot;
    });
  }

  /** Frees the slots, the counter and the learning rate, not the parameters. */
  dispose(): void {
    this.#rate.dispose();
    for (const state of this.#states.values()) state.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function checkParameters(parameters: readonly Parameter[]): void {
  if (parameters.length === 0) {
    throw new GradusError("optimizer: no parameters; expected at least one");
  }
  const repeated = parameters.find((p, i) => parameters.indexOf(p) !== i);
  if (repeated) {
    throw new GradusError(`optimizer: "${repeated.name}" is given twice; expected each once`);
  }
}
