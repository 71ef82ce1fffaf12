import { checkPositive } from "../core/check.ts";
import { isFloat } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { compile } from "../engine/compile.ts";
import { State } from "../graph/state.ts";
import { substitute } from "../graph/substitute.ts";
import { evaluate, Tensor } from "../graph/tensor.ts";
import { add, div, sub } from "../ops/arithmetic.ts";
import { zeros } from "../ops/creation.ts";
import { gather } from "../ops/gather.ts";
import { reshape } from "../ops/reshape.ts";
import { writeAt } from "../ops/write-at.ts";

/** Options of `numericalGradient`. */
export interface NumericalGradientOptions {
  /** h, half the distance of the difference; 1e-4 when left out. */
  epsilon?: number;
}

/**
 * Computes the gradient of a function without differentiating it, by central differences, two
 * evaluations per element: ∂f/∂xᵢ ≈ (f(x + h eᵢ) − f(x − h eᵢ)) / 2h (K. Saito 2016, "Deep Learning
 * from Scratch", section 4.3).
 *
 * Parameters may be given, which `f` then reads from a model: they stand for the shifted values
 * while `f` builds its graph, and never change. In float64 on the CPU device the gradient is right to
 * about h²; in float32 to 1e-3 at best, with an h around 1e-2.
 * @param f computes a scalar, with nothing random in it.
 * @param x f32 or f64, one tensor or several.
 * @returns a tensor like x for each x.
 * @throws DTypeError for other dtypes, ShapeError for an `f` that gives no scalar, GradusError for
 * an epsilon that is not above 0.
 * @example await numericalGradient((x) => sum(square(x)), tensor([3, 4])); // [6, 8]
 * @example await numericalGradient(() => loss(model, batch), model.parameters());
 */
export function numericalGradient(
  f: (x: Tensor) => Tensor,
  x: Tensor,
  options?: NumericalGradientOptions,
): Promise<Tensor>;
export function numericalGradient(
  f: (...x: Tensor[]) => Tensor,
  x: readonly Tensor[],
  options?: NumericalGradientOptions,
): Promise<Tensor[]>;
export async function numericalGradient(
  f: (...x: Tensor[]) => Tensor,
  x: Tensor | readonly Tensor[],
  { epsilon = 1e-4 }: NumericalGradientOptions = {},
): Promise<Tensor | Tensor[]> {
  checkPositive("numericalGradient", { epsilon });
  const inputs = x instanceof Tensor ? [x] : x;
  for (const { dtype } of inputs) {
    if (isFloat(dtype)) continue;
    throw new DTypeError(`numericalGradient: x has dtype ${dtype}; expected f32 or f64`);
  }
  const gradients: Tensor[] = [];
  for (const k of inputs.keys()) gradients.push(await differences(f, inputs, k, epsilon));
  return x instanceof Tensor ? gradients[0] : gradients;
}

/** The gradient with respect to input k: one run of a compiled step for each element. */
async function differences(
  f: (...x: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  k: number,
  epsilon: number,
): Promise<Tensor> {
  const { device, shape, dtype, size } = inputs[k];
  if (size === 0) return zeros(shape, { device, dtype });
  using found = new State(zeros([size], { device, dtype }), { name: "differences" });
  using element = new State(zeros([], { device, dtype: "u32" }), { name: "element" });
  const step = compile(() => {
    const [above, below] = [epsilon, -epsilon].map((shift) => {
      return valueAt(f, inputs, k, moved(inputs[k], element, shift));
    });
    found.assign(writeAt(found, element, sub(above, below)));
    element.assign(add(element, 1));
  });
  try {
    for (let i = 0; i < size; i++) await step();
  } finally {
    step.dispose();
  }
  const gradient = div(reshape(found, shape), 2 * epsilon);
  evaluate(gradient);
  return gradient;
}

/** x with one element shifted. */
function moved(x: Tensor, element: Tensor, shift: number): Tensor {
  const flat = reshape(x, [x.size]);
  return reshape(writeAt(flat, element, add(gather(flat, element), shift)), x.shape);
}

/** f where input k has another value, also for who reads it from a model. */
function valueAt(
  f: (...x: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  k: number,
  value: Tensor,
): Tensor {
  const x = inputs[k];
  const given = inputs.map((other, j) => (j === k ? value : other));
  const y = substitute(x instanceof State ? [[x, value]] : [], () => f(...given));
  if (y.size === 1) return reshape(y, []);
  throw new ShapeError(
    `numericalGradient: f gives shape ${formatShape(y.shape)}; expected a scalar`,
  );
}
