import {
  checkEach,
  checkNotNegative,
  checkOptions,
  checkPositive,
  type Known,
} from "../core/check.ts";
import { DTYPES } from "../core/dtype.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, minimum, mul, square, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { zeros } from "../ops/creation.ts";
import { pow } from "../ops/pow.ts";
import { mean } from "../ops/reduce.ts";
import { sqrt } from "../ops/unary.ts";
import {
  type Assignment,
  OPTIMIZER_OPTIONS,
  Optimizer,
  type OptimizerOptions,
  type Parameters,
} from "./optimizer.ts";

/** Options of `Adafactor`. */
export interface AdafactorOptions extends OptimizerOptions {
  /** τ, the power of the step by which means of squares grow longer, at most 0; −0.8 when left out. */
  beta2Decay?: number;
  /** ε, the smallest size that a parameter counts as, above 0; 1e-3 when left out. */
  epsilon?: number;
  /** d, the largest root mean square of a direction, above 0; 1 when left out. */
  clipThreshold?: number;
  /** λ, from 0 (none, when left out). */
  weightDecay?: number;
}

const OPTIONS: Known<AdafactorOptions> = {
  ...OPTIMIZER_OPTIONS,
  beta2Decay: true,
  epsilon: true,
  clipThreshold: true,
  weightDecay: true,
};

/**
 * Descends as `Adam` without momentum, with steps in proportion to the parameters, and keeps of the mean
 * of squares of a matrix only those of its rows and columns:
 *
 *     β = 1 − t^τ
 *     r ← β r + (1 − β) mean of g² over columns,   c ← β c + (1 − β) mean of g² over rows
 *     v = r c / mean of r over rows;   without two axes v ← β v + (1 − β) g²
 *     u = g / √v,   α = max(ε, RMS(p)) · min(learningRate, 1 / √t)
 *     p ← p − learningRate · λ p − α / max(1, RMS(u) / d) · u
 *
 * starting at 0 and t = 1, with RMS(x) = √(mean of x²). More than two axes are many matrices. Source:
 * Shazeer & Stern 2018, "Adafactor: Adaptive learning rates with sublinear memory cost", Algorithm 6,
 * in PyTorch's form.
 * @throws GradusError for an option out of its range.
 * @example new Adafactor(model.parameters(), { learningRate: 0.01 });
 */
export class Adafactor extends Optimizer {
  readonly beta2Decay: number;
  readonly epsilon: number;
  readonly clipThreshold: number;
  readonly weightDecay: number;
  readonly #rows: readonly State[];
  /** A scalar that is not used where a parameter has less than two axes. */
  readonly #columns: readonly State[];

  constructor(parameters: Parameters, options: AdafactorOptions, ...surplus: never[]) {
    checkOptions("Adafactor", options, OPTIONS, surplus);
    const { beta2Decay = -0.8, epsilon = 1e-3, clipThreshold = 1, weightDecay = 0 } = options;
    const holds = (x: unknown) => Number.isFinite(x) && (x as number) <= 0;
    checkEach("Adafactor", { beta2Decay }, holds, "a finite number up to 0");
    checkPositive("Adafactor", { epsilon, clipThreshold });
    checkNotNegative("Adafactor", { weightDecay });
    super(parameters, options, "Adafactor");
    this.beta2Decay = beta2Decay;
    this.epsilon = epsilon;
    this.clipThreshold = clipThreshold;
    this.weightDecay = weightDecay;
    this.#rows = this.makeSlots("rowSquare", (shape, like) => zeros(reduced(shape, -1), like));
    this.#columns = this.makeSlots("columnSquare", (shape, like) => {
      return zeros(shape.length > 1 ? reduced(shape, -2) : [], like);
    });
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { rate, weightDecay } = this;
    const t = cast(add(this.counter, 1), this.parameters[0].dtype);
    const fresh = pow(t, this.beta2Decay); // 1 − β
    const relative = minimum(rate, div(1, sqrt(t)));
    return this.parameters.flatMap((p, i): Assignment[] => {
      const g = gradients[i];
      const { v, next } = this.#squares(i, square(g), fresh);
      const tiny = DTYPES[p.dtype].epsilon ** 2;
      const u = div(g, sqrt(maximum(v, tiny)));
      const step = mul(maximum(rootMeanSquare(p), this.epsilon), relative);
      const length = maximum(div(rootMeanSquare(u), this.clipThreshold), 1);
      const start = weightDecay > 0 ? sub(p, mul(p, mul(rate, weightDecay))) : p;
      return [...next, [p, sub(start, mul(u, div(step, length)))]];
    });
  }

  /** v of parameter i, and what the step assigns to its slots. */
  #squares(i: number, squares: Tensor, fresh: Tensor): { v: Tensor; next: Assignment[] } {
    const [row, column] = [this.#rows[i], this.#columns[i]];
    const kept = sub(1, fresh);
    const moved = (slot: State, x: Tensor) => add(mul(slot, kept), mul(x, fresh));
    if (squares.rank < 2) {
      const v = moved(row, squares);
      return { v, next: [[row, v]] };
    }
    const r = moved(row, mean(squares, { axis: -1, keepDims: true }));
    const c = moved(column, mean(squares, { axis: -2, keepDims: true }));
    const { epsilon } = DTYPES[r.dtype];
    const v = div(mul(r, c), maximum(mean(r, { axis: -2, keepDims: true }), epsilon));
    return {
      v,
      next: [
        [row, r],
        [column, c],
      ],
    };
  }
}

/** A shape with one element along an axis counted from the end, where it has two. */
function reduced(shape: readonly number[], axis: number): number[] {
  return shape.length < 2 ? [...shape] : shape.with(axis, 1);
}

function rootMeanSquare(x: Tensor): Tensor {
  return sqrt(mean(square(x)));
}
