import { dispose } from "../core/dispose.ts";
import type { Device } from "../graph/device.ts";
import type { RowUpdate } from "../graph/row-gradients.ts";
import { assignAll, type Parameter, State } from "../graph/state.ts";
import { loadMove, type Tensor } from "../graph/tensor.ts";
import { type KnownByIdentity, traceKey } from "../graph/trace-key.ts";
import { watch } from "../graph/watch.ts";
import { add } from "../ops/arithmetic.ts";
import { tensor, zeros } from "../ops/creation.ts";
import { checkClip, checkGradients, parametersOf, rowRules, slopesOf } from "./check.ts";
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

/** The names of `OptimizerOptions`, for checks. */
export const OPTIMIZER_OPTIONS = { learningRate: "number", clip: true } as const;

/** What trains parameters step by step: an `Optimizer`, or several as an `OptimizerGroup`. */
export interface OptimizerLike extends Disposable {
  /** What it is called, such as `Adam`; a run's checkpoint keeps it. */
  readonly kind: string;
  readonly parameters: readonly Parameter[];
  /** Step size, where it has one; setting a number holds from the next step on. */
  learningRate?: number | Schedule | undefined;
  /** Everything that a checkpoint needs to go on, by name. */
  state(): ReadonlyMap<string, State>;
  /**
   * Makes one step down the gradient of `loss`, and evaluates `loss` and `also` with it.
   * @param again computes the loss again, of what the parameters are then, for those that take more than one
   * gradient in a step, as `SAM` does; `trainStep` gives it.
   */
  step(loss: Tensor, also?: readonly Tensor[], again?: () => Tensor): void;
  /** Makes one step with given gradients, one for each parameter in order. */
  apply(gradients: readonly Tensor[], also?: readonly Tensor[]): void;
  /** Gives what a step with given gradients assigns, without assigning it. */
  assignments(gradients: readonly Tensor[]): readonly Assignment[];
  /** Lists all that it has on a device beside the parameters. */
  owned(): readonly State[];
  /** Moves that to another device. */
  to(device: Device): Promise<this>;
  /** Frees that. */
  dispose(): void;
}

/**
 * Changes parameters so that a loss falls. One step is one plan: gradients, all slots and all
 * parameters are computed from the old values and assigned together.
 */
export abstract class Optimizer implements OptimizerLike, KnownByIdentity {
  readonly parameters: readonly Parameter[];
  /** The number of finished steps, a u32 scalar. */
  readonly counter: State;
  readonly clip: Clip;
  readonly #rate: LearningRate;
  readonly #states = new Map<string, State>();
  /** Whether a row may stay as it is, and its slots too, where no lookup took it. */
  protected isRowwise = false;
  /** What `makeSlots` has made. */
  protected readonly slots: State[][] = [];

  /**
   * Makes the counter and the rate.
   * @param kind what messages and checkpoints call the optimizer.
   * @throws GradusError for no parameters, one given twice, or an option out of its range.
   */
  constructor(
    parameters: Parameters,
    { learningRate, clip = (g) => g }: OptimizerOptions,
    readonly kind = "Optimizer",
  ) {
    this.parameters = parametersOf(kind, parameters);
    checkClip(kind, clip);
    this.clip = clip;
    const { device, dtype } = this.parameters[0];
    this.counter = this.makeState("step", tensor(0, { device, dtype: "u32" }));
    this.#rate = new LearningRate(kind, learningRate, this.counter, dtype);
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
    return this.#rate.next();
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
    this.apply(slopesOf(this.kind, loss, this.parameters), [loss, ...also]);
  }

  /** Makes one step with given gradients, one for each parameter in order. */
  apply(gradients: readonly Tensor[], also: readonly Tensor[] = []): void {
    assignAll(this.assignments(gradients), also);
  }

  /** Gives the next values of the parameters, the slots and the counter, for `assignAll`. */
  assignments(gradients: readonly Tensor[]): readonly Assignment[] {
    const build = (): readonly Assignment[] => {
      const own = this as unknown as RowUpdate; // whose members only subclasses see
      const next = rowRules(this.kind, gradients)?.assignments(own, gradients);
      return [...(next ?? this.next(this.clip(gradients))), [this.counter, add(this.counter, 1)]];
    };
    return watch ? watch.updates(this.kind, build) : build();
  }

  /** What `update` gives for limited gradients. */
  protected next(gradients: readonly Tensor[]): readonly Assignment[] {
    checkGradients(this.kind, gradients, this.parameters);
    return this.update(gradients);
  }

  /** Makes a state that `state()` lists and `dispose` frees. */
  protected makeState(name: string, initial: Tensor): State {
    const state = new State(initial, { name });
    this.#states.set(name, state);
    return state;
  }

  /** Makes a slot for each parameter, of zeros unless told otherwise. */
  protected makeSlots(name: string, make: typeof zeros = zeros): State[] {
    const slots = this.parameters.map((p, i) => {
      const own = this.#states.has(`${p.name}.${name}`) ? `${p.name}.${i}` : p.name;
      return this.makeState(`${own}.${name}`, make(p.shape, p));
    });
    this.slots.push(slots);
    return slots;
  }

  /** Compiled functions know it by identity. */
  [traceKey](): string {
    return "";
  }

  /** Lists the slots, the counter and the learning rate. */
  owned(): State[] {
    return [...this.#rate.states, ...this.#states.values()];
  }

  /**
   * Moves the slots, the counter and the learning rate to another device, as `Module.to` does the
   * parameters.
   * @returns the optimizer itself.
   */
  async to(device: Device, ...surplus: never[]): Promise<this> {
    await (await loadMove()).moveStates(this.owned(), device, surplus);
    return this;
  }

  /** Frees the slots, the counter and the learning rate, not the parameters. */
  dispose(): void {
    for (const state of this.owned()) state.dispose();
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }
}
