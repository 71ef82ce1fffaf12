import {
  checkDecay,
  checkNotNegative,
  checkOptions,
  checkSteps,
  type Known,
} from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, mul, square, sub } from "../ops/arithmetic.ts";
import { matmul } from "../ops/matmul.ts";
import { sum } from "../ops/reduce.ts";
import { transpose } from "../ops/reshape.ts";
import { sqrt } from "../ops/unary.ts";
import { averaged } from "./formulas.ts";
import {
  type Assignment,
  OPTIMIZER_OPTIONS,
  Optimizer,
  type OptimizerOptions,
  type Parameters,
} from "./optimizer.ts";

/** Options of `Muon`. */
export interface MuonOptions extends OptimizerOptions {
  /** μ, how much of the mean of gradients stays each step, in [0, 1); 0.95 when left out. */
  momentum?: number;
  /** Whether the step looks ahead along the momentum; true when left out. */
  nesterov?: boolean;
  /** λ, from 0; 0.1 when left out. */
  weightDecay?: number;
  /** How often a matrix is brought nearer to an orthogonal one, an integer from 1; 5 when left out. */
  iterations?: number;
}

const OPTIONS: Known<MuonOptions> = {
  ...OPTIMIZER_OPTIONS,
  momentum: true,
  nesterov: "boolean",
  weightDecay: true,
  iterations: true,
};

/** a, b and c of a X + b (X Xᵀ) X + c (X Xᵀ)² X, which lifts small singular values fastest. */
const [A, B, C] = [3.4445, -4.775, 2.0315];

/** Keeps the norm by which a matrix of zeros is divided above 0. */
const EPSILON = 1e-7;

/**
 * Descends along the orthogonal matrix next to the mean of gradients, so that all directions of a
 * weight learn alike; for weights of two axes, `[inputs, outputs]`, inside of a net. Put its others, its
 * first and its last layer in another optimizer, by an `OptimizerGroup`.
 *
 *     m ← μ m + (1 − μ) g
 *     X ← u / max(‖u‖, 1e-7),   u = μ m + (1 − μ) g with nesterov, else m
 *     X ← a X + b (X Xᵀ) X + c (X Xᵀ)² X       `iterations` times
 *     p ← p − learningRate · (λ p + √max(1, outputs / inputs) · X)
 *
 * starting at m = 0, with a = 3.4445, b = −4.775, c = 2.0315. Source: Jordan et al. 2024, "Muon: An
 * optimizer for hidden layers in neural networks", in PyTorch's form.
 * @throws GradusError for an option out of its range, ShapeError for a parameter of other than two axes.
 * @example
 * const isMatrix = (p: Parameter) => p.rank === 2;
 * new Muon(model.parameters().filter(isMatrix), { learningRate: 0.02 });
 */
export class Muon extends Optimizer {
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  readonly iterations: number;
  readonly #means: readonly State[];

  constructor(parameters: Parameters, options: MuonOptions, ...surplus: never[]) {
    checkOptions("Muon", options, OPTIONS, surplus);
    const { momentum = 0.95, nesterov = true, weightDecay = 0.1, iterations = 5 } = options;
    checkDecay("Muon", { momentum });
    checkNotNegative("Muon", { weightDecay });
    checkSteps("Muon", { iterations });
    super(parameters, options, "Muon");
    for (const { name, shape } of this.parameters) {
      if (shape.length === 2) continue;
      throw new ShapeError(
        `Muon: "${name}" of shape ${formatShape(shape)}; expected two axes. ` +
          "An OptimizerGroup gives other parameters another optimizer",
      );
    }
    this.momentum = momentum;
    this.nesterov = nesterov;
    this.weightDecay = weightDecay;
    this.iterations = iterations;
    this.#means = this.makeSlots("mean");
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { rate, momentum } = this;
    const kept = sub(1, mul(rate, this.weightDecay));
    return this.parameters.flatMap((p, i): Assignment[] => {
      const m = averaged(this.#means[i], gradients[i], momentum);
      const u = this.nesterov ? averaged(m, gradients[i], momentum) : m;
      const [inputs, outputs] = p.shape;
      const step = mul(rate, Math.sqrt(Math.max(1, outputs / inputs)));
      const next = sub(mul(p, kept), mul(orthogonal(u, this.iterations), step));
      return [
        [this.#means[i], m],
        [p, next],
      ];
    });
  }
}

/** Brings the singular values of a matrix near 1, by products of its smaller side. */
function orthogonal(u: Tensor, iterations: number): Tensor {
  const [rows, columns] = u.shape;
  const isTall = rows > columns;
  const wide = isTall ? transpose(u) : u;
  let x = div(wide, maximum(sqrt(sum(square(wide))), EPSILON));
  for (let i = 0; i < iterations; i++) {
    const g = matmul(x, transpose(x));
    const polynomial = add(mul(g, B), mul(matmul(g, g), C));
    x = add(mul(x, A), matmul(polynomial, x));
  }
  return isTall ? transpose(x) : x;
}
