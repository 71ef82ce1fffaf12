import {
  checkEach,
  checkFunctions,
  checkOptions,
  checkPositive,
  describeValue,
} from "../core/check.ts";
import { DTYPES, expectDType } from "../core/dtype.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { compile } from "../engine/compile.ts";
import { State } from "../graph/state.ts";
import { substitute } from "../graph/substitute.ts";
import { checkTensors, evaluate, Tensor } from "../graph/tensor.ts";
import { add, div, maximum, mul, sub } from "../ops/arithmetic.ts";
import { zeros } from "../ops/creation.ts";
import { gather } from "../ops/gather.ts";
import { reshape } from "../ops/reshape.ts";
import { abs } from "../ops/unary.ts";
import { writeAt } from "../ops/write-at.ts";

/** Options of `numericalGradient`. */
export interface NumericalGradientOptions {
  /**
   * h, half the distance of the difference, above 0; ∛ε max(|xᵢ|, 1) when left out, with ε the
   * spacing of numbers at 1: some 0.005 in f32 and 6e-6 in f64, where rounding and curvature err alike.
   */
  epsilon?: number;
}

/**
 * Computes the gradient of a function without differentiating it, by central differences, two
 * evaluations per element: ∂f/∂xᵢ ≈ (f(x + h eᵢ) − f(x − h eᵢ)) / 2h (K. Saito 2016, "Deep Learning
 * from Scratch", section 4.3).
 *
 * Parameters may be given, which `f` then reads from a model: they stand for the shifted values
 * while `f` builds its graph, and never change. Where `f` and its slopes are about 1, the gradient is
 * right to some 1e-10 in float64, and to 1e-4 in float32.
 * @param f computes a scalar, with nothing random in it.
 * @param x f32 or f64, one tensor or several.
 * @returns a tensor like x for each x.
 * @throws DTypeError for other dtypes, ShapeError for an `f` that gives no scalar, GradusError for
 * an epsilon that is not above 0 or an unknown option.
 * @example
 * const slope = await numericalGradient((x) => sum(square(x)), tensor([3, 4]));
 * await slope.toArray(); // about [6, 8]
 * @example
 * const slopes = await numericalGradient(() => loss(model, batch), model.parameters());
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
  options: NumericalGradientOptions = {},
  ...surplus: never[]
): Promise<Tensor | Tensor[]> {
  const op = "numericalGradient";
  checkOptions<NumericalGradientOptions>(op, options, { epsilon: "number" }, surplus);
  const { epsilon } = options;
  if (epsilon !== undefined) checkPositive(op, { epsilon });
  checkFunctions(op, { f });
  const inputs = x instanceof Tensor ? [x] : x;
  checkEach(op, { x: inputs }, Array.isArray, "a tensor or an array of them");
  checkTensors(op, inputs);
  for (const { dtype } of inputs) expectDType(`${op}: x has dtype`, dtype, "float");
  const gradients: Tensor[] = [];
  for (const k of inputs.keys()) gradients.push(await differences(f, inputs, k, epsilon));
  return x instanceof Tensor ? gradients[0] : gradients;
}

/** The gradient with respect to input k: one run of a compiled step for each element. */
async function differences(
  f: (...x: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  k: number,
  epsilon: number | undefined,
): Promise<Tensor> {
  const { device, shape, dtype, size } = inputs[k];
  if (size === 0) return zeros(shape, { device, dtype });
  using found = new State(zeros([size], { device, dtype }), { name: "differences" });
  using element = new State(zeros([], { device, dtype: "u32" }), { name: "element" });
  const step = compile(
    () => {
      const x = reshape(inputs[k], [size]);
      const at = gather(x, element);
      const h = epsilon ?? mul(maximum(abs(at), 1), Math.cbrt(DTYPES[dtype].epsilon));
      const [above, below] = [add(at, h), sub(at, h)];
      const values = [above, below].map((value) => {
        return valueAt(f, inputs, k, reshape(writeAt(x, element, value), shape));
      });
      // What lies between the two is 2h as it was rounded.
      const slope = div(sub(values[0], values[1]), sub(above, below));
      found.assign(writeAt(found, element, slope));
      element.assign(add(element, 1));
    },
    { name: "numericalGradient" },
  );
  try {
    for (let i = 0; i < size; i++) await step();
  } finally {
    step.dispose();
  }
  const gradient = reshape(found, shape);
  evaluate(gradient);
  return gradient;
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
  const op = "numericalGradient";
  if (!(y instanceof Tensor)) {
    throw new GradusError(`${op}: f gives ${describeValue(y)}; expected a tensor, a scalar`);
  }
  if (y.size === 1) return reshape(y, []);
  throw new ShapeError(`${op}: f gives shape ${formatShape(y.shape)}; expected a scalar`);
}
