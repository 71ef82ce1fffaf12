import { checkOptions } from "../core/check.ts";
import type { Key } from "../core/random.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { leakyRelu } from "../ops/activations.ts";
import { keyOf } from "../ops/random.ts";
import { checkSlopes, withDrawnSlopes } from "../ops/rrelu.ts";
import { DROPOUT, type DropoutOptions, nextStep, stepState } from "./dropout.ts";
import { Module } from "./module.ts";

/**
 * Multiplies what is not above 0 with a slope, as `rrelu` does: one of each element from U[lower, upper)
 * in training mode, else (lower + upper) / 2. Slopes depend on the key and the counter `step`, as the masks
 * of `Dropout` do.
 * Source: Xu et al. 2015, "Empirical evaluation of rectified activations in convolutional network", section 2.4.
 * @throws GradusError unless lower ≤ upper, both finite.
 * @example new Sequential(new Linear(8, 8), new RReLU(0.1, 0.3, { seed: 3 }));
 */
export class RReLU extends Module {
  /** The number of draws so far, a u32 scalar. */
  readonly step: State;
  readonly #key: Key;

  constructor(
    readonly lower = 1 / 8,
    readonly upper = 1 / 3,
    options: DropoutOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions("RReLU", options, DROPOUT, surplus);
    checkSlopes("RReLU", lower, upper);
    this.#key = keyOf("RReLU", options);
    this.step = stepState(options.device);
  }

  override forward(x: Tensor): Tensor {
    const { lower, upper } = this;
    if (!this.training) return leakyRelu(x, (lower + upper) / 2);
    return withDrawnSlopes(x, [lower, upper], nextStep(this.step), this.#key);
  }
}
