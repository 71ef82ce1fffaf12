import { GradusError } from "../core/errors.ts";
import { grad } from "../graph/grad.ts";
import { assignAll, type Parameter, State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { tensor, zeros } from "../ops/creation.ts";

/** A state and its next value. */
export type Assignment = readonly [State, Tensor];

/** Parameters to train: a list, or a map from names as modules give it. */
export type Parameters = readonly Parameter[] | ReadonlyMap<string, Parameter>;

/** Options that every optimizer has. */
export interface OptimizerOptions {
  /** Step size, a finite number from 0. */
  learningRate: number;
}

/**
 * Changes parameters so that a loss falls. One step is one plan: gradients, all slots and all
 * parameters are computed from the old values and assigned together.
 */
export abstract class Optimizer {
  readonly parameters: readonly Parameter[];
  readonly #rate: State;
  #learningRate: number;
  readonly #slots = new Map<string, State>();

  /** Throws a `GradusError` for no parameters, one given twice, or a bad learning rate. */
  constructor(parameters: Parameters, { learningRate }: OptimizerOptions) {
    this.parameters = Array.isArray(parameters) ? [...parameters] : [...parameters.values()];
    if (this.parameters.length === 0) {
      throw new GradusError("optimizer: no parameters; expected at least one");
    }
    const repeated = this.parameters.find((p, i) => this.parameters.indexOf(p) !== i);
    if (repeated) {
      throw new GradusError(`optimizer: "${repeated.name}" is given twice; expected each once`);
    }
    checkRate(learningRate);
    this.#learningRate = learningRate;
    this.#rate = new State(this.#scalar(learningRate), { name: "learningRate" });
  }

  /** Step size; setting it writes one number to the device and leaves the plan as it is. */
  get learningRate(): number {
    return this.#learningRate;
  }
  set learningRate(value: number) {
    checkRate(value);
    using next = this.#scalar(value);
    this.#rate.assign(next);
    this.#learningRate = value;
  }

  /** The step size as a scalar on the device, for use in formulas. */
  get rate(): State {
    return this.#rate;
  }

  /** All slots by name, such as `hidden.weight.momentum`. */
  state(): ReadonlyMap<string, State> {
    return this.#slots;
  }

  /** Gives the next values of the parameters and slots from one gradient for each parameter. */
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
    if (gradients.length !== this.parameters.length) {
      throw new GradusError(
        `optimizer: ${gradients.length} gradients; expected ${this.parameters.length}, ` +
          "one for each parameter",
      );
    }
    assignAll(this.update(gradients), also);
  }

  /** Makes a slot of zeros for each parameter. */
  protected makeSlots(name: string): State[] {
    return this.parameters.map((p, i) => {
      const { device, dtype } = p;
      const own = this.#slots.has(`${p.name}.${name}`) ? `${p.name}.${i}` : p.name;
      const slot = new State(zeros(p.shape, { device, dtype }), { name: `${own}.${name}` });
      this.#slots.set(slot.name, slot);
      return slot;
    });
  }

  /** Frees the slots and the learning rate, not the parameters. */
  dispose(): void {
    for (const state of [this.#rate, ...this.#slots.values()]) state.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #scalar(value: number): Tensor {
    const { device, dtype } = this.parameters[0];
    return tensor(value, { device, dtype });
  }
}

/** Throws a `GradusError` unless a learning rate is a finite number from 0. */
function checkRate(value: number): void {
  if (Number.isFinite(value) && value >= 0) return;
  throw new GradusError(`optimizer: learningRate ${value}; expected a finite number from 0`);
}
