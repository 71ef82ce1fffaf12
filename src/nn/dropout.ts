import { checkDecay, checkOptions, type Known } from "../core/check.ts";
import type { Key } from "../core/random.ts";
import type { Shape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { identity } from "../graph/identity.ts";
import { assignAll, State } from "../graph/state.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { add } from "../ops/arithmetic.ts";
import { tensor } from "../ops/creation.ts";
import { dropElements } from "../ops/dropout.ts";
import { keyOf } from "../ops/random.ts";
import { Module } from "./module.ts";

/** Options of `Dropout`. */
export interface DropoutOptions {
  /** Fixes all masks on every device; give each layer of a model its own. */
  seed?: number;
  /** In place of `seed`, a key as `foldIn` derives them; the default sequence's next when neither. */
  key?: Key;
  /** The device of `init` when left out. */
  device?: Device;
}

/** The names of `DropoutOptions`, for checks. */
export const DROPOUT: Known<DropoutOptions> = { seed: "number", key: true, device: true };

/**
 * Sets each element to 0 with probability `rate` in training mode and divides the others by
 * 1 − rate, so that expectations stay; gives its input unchanged in evaluation mode, the one in
 * which modules are made. `trainStep` sets training mode itself; in loops of one's own `train()` does.
 *
 * A mask depends on the key and on the counter `step`, which each call in training mode raises:
 * masks are computed where they are used, the same bits on every device, and go on where they were
 * after the states have been loaded.
 * Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from
 * overfitting", section 10 for the scaling while training.
 * @throws GradusError unless 0 ≤ rate < 1.
 * @example new Sequential(new Linear(784, 512), relu, new Dropout(0.5, { seed: 3 }));
 */
export class Dropout extends Module {
  /** The number of masks drawn so far, a u32 scalar. */
  readonly step: State;
  readonly #key: Key;

  constructor(
    readonly rate = 0.5,
    options: DropoutOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions("Dropout", options, DROPOUT, surplus);
    checkDecay("Dropout", { rate });
    this.#key = keyOf("Dropout", options);
    this.step = stepState(options.device);
  }

  override forward(x: Tensor): Tensor {
    if (!this.training || this.rate === 0) return x;
    const mask = this.maskOf(x);
    return this.dropped(x, nextStep(this.step), this.#key, mask);
  }

  /** Drops elements of x, by the mask of a key at a step. */
  protected dropped(x: Tensor, step: Tensor, key: Key, mask: Shape): Tensor {
    return dropElements(x, this.rate, step, key, mask);
  }

  /** The shape of a mask for x, to whose shape it broadcasts. */
  protected maskOf(x: Tensor): Shape {
    return x.shape;
  }
}

/** A counter of masks, at 0. */
export function stepState(device?: Device): State {
  return new State(tensor(0, { dtype: "u32", device }), { name: "step", pytorch: null });
}

/** Raises a counter and gives its old value, as a copy that what is built on it may keep. */
export function nextStep(step: State): Tensor {
  const before = apply(identity, [step], {});
  assignAll([[step, add(step, 1)]], [before]);
  return before;
}
