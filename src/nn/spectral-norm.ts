import { checkOptions, checkPositive, checkSteps, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { foldIn, givenKey, type Key } from "../core/random.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import { stopGradient } from "../graph/custom-grad.ts";
import { identity } from "../graph/identity.ts";
import { scope } from "../graph/scope.ts";
import { assignAll, Parameter, State } from "../graph/state.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { div, maximum } from "../ops/arithmetic.ts";
import { matmul } from "../ops/matmul.ts";
import { norm } from "../ops/norm.ts";
import { vdot } from "../ops/products.ts";
import { randomNormal } from "../ops/random.ts";
import { permute, reshape } from "../ops/reshape.ts";
import { computeParameter, parameterOf } from "./computed-weight.ts";
import { ConvLayer } from "./conv.ts";
import type { AnyModule } from "./module.ts";
import { axisFor } from "./weight-norm.ts";

/** Options of `spectralNorm`. */
export interface SpectralNormOptions {
  /** Which parameter is computed; `"weight"` when left out. */
  name?: string;
  /** Steps of power iteration in a call in training mode, from 1; 1 when left out. */
  powerIterations?: number;
  /** The least length that vectors are divided by, above 0; 1e-12 when left out. */
  epsilon?: number;
  /**
   * The axis of the matrix' rows, counted from the end when negative; all others are its columns. That
   * of the outputs when left out.
   */
  axis?: number;
  /** Fixes where the iteration begins, on every device. */
  seed?: number;
  /** In place of `seed`, a key as `foldIn` derives them. */
  key?: Key;
}

const SPECTRAL_NORM: Known<SpectralNormOptions> = {
  name: "string",
  powerIterations: "number",
  epsilon: true,
  axis: true,
  seed: true,
  key: true,
};

/** Steps of power iteration when a weight is first divided, as in PyTorch. */
const FIRST_ITERATIONS = 15;

/** The left and the right singular vector of the largest singular value, as far as they are known. */
interface Vectors {
  readonly u: Tensor;
  readonly v: Tensor;
}

/**
 * Has a module divide a weight by its largest singular value, w / σ, so that the module stretches no
 * difference of inputs, as critics of adversarial nets need it. σ = uᵀ·W·v, W being the weight as a matrix with
 * a row for each output; u and v come from power iteration, of which a call in training mode makes some
 * steps, and gradients take them as constants. The states are `weightOriginal`, which is trained,
 * `weightU` and `weightV`. Make the optimizer after it; `removeParametrization` takes it back. The weight
 * itself is freed, as `weightNorm` does.
 *
 * Files of PyTorch hold them as `weight_orig`, `weight_u` and `weight_v`; for those of its newer parametrisation
 * rename `parametrizations.weight.original`, `parametrizations.weight.0._u` and `…_v` to these.
 * Source: Miyato et al. 2018, "Spectral normalization for generative adversarial networks", Algorithm 1.
 * @returns the module itself.
 * @throws GradusError where it has no such parameter of its own, and for an option out of its range; ShapeError for
 * an axis that is not there, and a parameter of fewer than two axes.
 * @example
 * const critic = new Sequential(spectralNorm(new Linear(2, 64)), relu, spectralNorm(new Linear(64, 1)));
 */
export function spectralNorm<M extends AnyModule>(
  module: M,
  options: SpectralNormOptions = {},
  ...surplus: never[]
): M {
  const op = "spectralNorm";
  checkOptions(op, options, SPECTRAL_NORM, surplus);
  const { name = "weight", powerIterations = 1, epsilon = 1e-12 } = options;
  checkSteps(op, { powerIterations });
  checkPositive(op, { epsilon });
  const weight = parameterOf(op, module, name);
  if (weight.rank < 2) {
    throw new ShapeError(`${op}: ${name} ${formatShape(weight.shape)}; expected two axes or more`);
  }
  const outputs = module instanceof ConvLayer && module.isTransposed ? 1 : 0;
  const axis = axisFor(op, weight, options.axis, outputs);
  const others = [...weight.shape.keys()].filter((each) => each !== axis);
  const rows = weight.shape[axis];
  const columns = sizeOf(weight.shape) / rows;
  const matrix = (w: Tensor) => reshape(permute(w, [axis, ...others]), [rows, columns]);

  const key = givenKey(op, options);
  const { device, dtype } = weight;
  const draw = (n: number, number: number) => {
    const own = key && foldIn(key, number);
    return unit(randomNormal([n], { key: own, device, dtype }), epsilon);
  };
  const first = scope(() => {
    const drawn = { u: draw(rows, 0), v: draw(columns, 1) };
    return iterate(matrix(weight), drawn, FIRST_ITERATIONS, epsilon);
  });
  const original = new Parameter(weight, {
    name: `${name}Original`,
    pytorch: { ...weight.pytorch, name: `${weight.pytorch?.name ?? name}_orig` },
  });
  original.trainable = weight.trainable;
  const vector = (x: Tensor, letter: string) =>
    new State(x, {
      name: `${name}${letter.toUpperCase()}`,
      pytorch: { name: `${weight.pytorch?.name ?? name}_${letter}` },
    });
  const [u, v] = [vector(first.u, "u"), vector(first.v, "v")];

  // σ = uᵀ·W·v
  const divided = (by: Vectors) => div(original, vdot(by.u, matmul(matrix(original), by.v)));
  const during = () => {
    if (!module.training) return divided({ u, v });
    const next = iterate(stopGradient(matrix(original)), { u, v }, powerIterations, epsilon);
    // Copies, since what is made of them may be read after the next call.
    const kept = { u: apply(identity, [next.u], {}), v: apply(identity, [next.v], {}) };
    assignAll(
      [
        [u, next.u],
        [v, next.v],
      ],
      [kept.u, kept.v],
    );
    return divided({ u: stopGradient(kept.u), v: stopGradient(kept.v) });
  };
  const states = { [`${name}Original`]: original, [`${name}U`]: u, [`${name}V`]: v };
  computeParameter(module, name, states, () => divided({ u, v }), during);
  return module;
}

/** Makes steps of power iteration: v ← Wᵀ·u / ‖Wᵀ·u‖, u ← W·v / ‖W·v‖. */
function iterate(w: Tensor, from: Vectors, steps: number, epsilon: number): Vectors {
  let { u, v } = from;
  for (let step = 0; step < steps; step++) {
    v = unit(matmul(u, w), epsilon);
    u = unit(matmul(w, v), epsilon);
  }
  return { u, v };
}

/** x / max(‖x‖, ε). */
function unit(x: Tensor, epsilon: number): Tensor {
  return div(x, maximum(norm(x), epsilon));
}
