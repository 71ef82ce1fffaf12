import { checkDecay, checkNotNegative, checkPositive } from "../core/check.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, square } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { averaged } from "./formulas.ts";
import {
  type Assignment,
  OPTIMIZER_OPTIONS,
  Optimizer,
  type OptimizerOptions,
  type Parameters,
} from "./optimizer.ts";

/** Options of the optimizers that keep means of gradients and of their squares. */
export interface AdaptiveMomentsOptions extends OptimizerOptions {
  /** β₁, how much of the mean of gradients stays each step, in [0, 1); 0.9 when left out. */
  beta1?: number;
  /** β₂, how much of the mean of their squares stays each step, in [0, 1); 0.999 when left out. */
  beta2?: number;
  /** ε, what keeps the divisor above 0; 1e-8 when left out. */
  epsilon?: number;
  /** λ, from 0; none when left out. */
  weightDecay?: number;
}

/** The names of `AdaptiveMomentsOptions`, for checks. */
export const ADAPTIVE_OPTIONS = {
  ...OPTIMIZER_OPTIONS,
  beta1: true,
  beta2: true,
  epsilon: true,
  weightDecay: true,
} as const;

/** Both means after a step, and what it assigns to their slots. */
interface StepMoments {
  readonly m: Tensor;
  readonly v: Tensor;
  readonly next: Assignment[];
}

/** What `Adam` and its kin share: options, slots and the means. */
export abstract class AdaptiveMoments extends Optimizer {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly #means: readonly State[];
  readonly #seconds: readonly State[];

  constructor(
    op: string,
    parameters: Parameters,
    options: AdaptiveMomentsOptions,
    { second = "square" } = {},
  ) {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
    checkDecay(op, { beta1, beta2 });
    checkPositive(op, { epsilon });
    checkNotNegative(op, { weightDecay });
    super(parameters, options, op);
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.epsilon = epsilon;
    this.weightDecay = weightDecay;
    this.#means = this.makeSlots("mean");
    this.#seconds = this.makeSlots(second);
  }

  /** t of the step being made, from 1, as the learning rate's dtype. */
  protected get time(): Tensor {
    return cast(add(this.counter, 1), this.parameters[0].dtype);
  }

  /** m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g² of parameter i, unless told another v. */
  protected moments(
    i: number,
    g: Tensor,
    second = (v: Tensor): Tensor => averaged(v, square(g), this.beta2),
  ): StepMoments {
    const m = averaged(this.#means[i], g, this.beta1);
    const v = second(this.#seconds[i]);
    const next: Assignment[] = [
      [this.#means[i], m],
      [this.#seconds[i], v],
    ];
    return { m, v, next };
  }
}
