import { checkEach, checkOptions, type Known } from "../core/check.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { clip, mul, sub } from "../ops/arithmetic.ts";
import { greater, less } from "../ops/compare.ts";
import { ones } from "../ops/creation.ts";
import { sign } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import {
  type Assignment,
  OPTIMIZER_OPTIONS,
  Optimizer,
  type OptimizerOptions,
  type Parameters,
} from "./optimizer.ts";

/** Options of `Rprop`. */
export interface RpropOptions extends OptimizerOptions {
  /** η⁻, by which a step shrinks where the gradient's sign changes, in (0, 1); 0.5 when left out. */
  etaMinus?: number;
  /** η⁺, by which it grows where the sign stays, above 1; 1.2 when left out. */
  etaPlus?: number;
  /** The smallest step, in learning rates, above 0; 1e-4 when left out. */
  minScale?: number;
  /** The largest step, in learning rates, from the smallest; 5000 when left out. */
  maxScale?: number;
}

const OPTIONS: Known<RpropOptions> = {
  ...OPTIMIZER_OPTIONS,
  etaMinus: true,
  etaPlus: true,
  minScale: true,
  maxScale: true,
};

/**
 * Descends by the sign of the gradient alone, each element by a step of its own, which grows while the
 * sign stays and shrinks where it changes; for gradients of all data, not of batches:
 *
 *     s ← clip(η s, minScale, maxScale),   η = η⁺ where g h > 0, η⁻ where g h < 0, else 1
 *     g ← 0 where g h < 0
 *     p ← p − learningRate · s · sign(g),   h ← g
 *
 * starting at s = 1 and h = 0. Source: Riedmiller & Braun 1993, "A direct adaptive method for faster
 * backpropagation learning: The RPROP algorithm", in PyTorch's form; its limits are steps, here they
 * are multiples of the learning rate, so that a schedule scales all.
 * @throws GradusError for an option out of its range.
 * @example new Rprop(model.parameters(), { learningRate: 0.01 });
 */
export class Rprop extends Optimizer {
  readonly etaMinus: number;
  readonly etaPlus: number;
  readonly minScale: number;
  readonly maxScale: number;
  readonly #scales: readonly State[];
  readonly #gradients: readonly State[];

  constructor(parameters: Parameters, options: RpropOptions, ...surplus: never[]) {
    checkOptions("Rprop", options, OPTIONS, surplus);
    const { etaMinus = 0.5, etaPlus = 1.2, minScale = 1e-4, maxScale = 5000 } = options;
    const within = (low: number, high: number) => (x: unknown) =>
      typeof x === "number" && x > low && x < high;
    const most = Number.POSITIVE_INFINITY;
    checkEach("Rprop", { etaMinus }, within(0, 1), "a number above 0 and below 1");
    checkEach("Rprop", { etaPlus }, within(1, most), "a finite number above 1");
    checkEach("Rprop", { minScale, maxScale }, within(0, most), "a finite number above 0");
    const isOrdered = (x: unknown) => (x as number) >= minScale;
    checkEach("Rprop", { maxScale }, isOrdered, `a number from minScale, ${minScale}`);
    super(parameters, options, "Rprop");
    this.etaMinus = etaMinus;
    this.etaPlus = etaPlus;
    this.minScale = minScale;
    this.maxScale = maxScale;
    this.#scales = this.makeSlots("scale", ones);
    this.#gradients = this.makeSlots("gradient");
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { rate, etaMinus, etaPlus, minScale, maxScale } = this;
    return this.parameters.flatMap((p, i): Assignment[] => {
      const [scale, before] = [this.#scales[i], this.#gradients[i]];
      // Of signs, since a product of small gradients is 0.
      const turn = mul(sign(gradients[i]), sign(before));
      const grown = where(greater(turn, 0), mul(scale, etaPlus), scale);
      const s = clip(where(less(turn, 0), mul(scale, etaMinus), grown), minScale, maxScale);
      const g = where(less(turn, 0), 0, gradients[i]);
      return [
        [scale, s],
        [before, g],
        [p, sub(p, mul(mul(sign(g), s), rate))],
      ];
    });
  }
}
