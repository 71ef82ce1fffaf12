import { checkEach, checkOptions, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { Parameter } from "../graph/state.ts";
import { div, mul } from "../ops/arithmetic.ts";
import { norm } from "../ops/norm.ts";
import { computeParameter, parameterOf } from "./computed-weight.ts";
import type { AnyModule } from "./module.ts";

/** Options of `weightNorm`. */
export interface WeightNormOptions {
  /** Which parameter is computed; `"weight"` when left out. */
  name?: string;
  /**
   * The axis along which each slice has a length of its own, counted from the end when negative; null
   * for one length of all. That of PyTorch's axis 0 when left out: the outputs', but for transposed
   * convolutions the inputs'.
   */
  axis?: number | null;
}

const WEIGHT_NORM: Known<WeightNormOptions> = { name: "string", axis: "number" };

/** The axis of a parameter that an option names, or that lies on `theirs` in PyTorch's order. */
export function axisFor(
  op: string,
  p: Parameter,
  given: number | undefined,
  theirs: number,
): number {
  const axis = given ?? p.pytorch?.axes?.[theirs] ?? theirs;
  const holds = (x: unknown) => Number.isInteger(x) && axis >= -p.rank && axis < p.rank;
  checkEach(op, { axis }, holds, `an integer in [${-p.rank}, ${p.rank - 1}]`, ShapeError);
  return axis < 0 ? axis + p.rank : axis;
}

/**
 * Has a module compute a weight as length and direction, w = g · v / ‖v‖, and train g and v in its
 * place: `weightG`, of size 1 on all axes but one (a scalar where all have one length), and `weightV`. They begin such that w is what it
 * was. Make the optimizer after it; `removeParametrization` takes it back. The weight itself is freed: a
 * module outside of this one that shares it has to be given another.
 *
 * Files of PyTorch hold them as `weight_g` and `weight_v`; those of its newer parametrisation load with
 * `rename: [["parametrizations.weight.original0", "weight_g"], ["parametrizations.weight.original1", "weight_v"]]`.
 * Source: Salimans & Kingma 2016, "Weight normalization", eq. 2.
 * @returns the module itself.
 * @throws GradusError where it has no such parameter of its own; ShapeError for an axis that is not there.
 * @example
 * const layer = weightNorm(new Linear(3, 2, { seed: 1 }));
 * [...layer.state().keys()]; // ["bias", "weightG", "weightV"]
 */
export function weightNorm<M extends AnyModule>(
  module: M,
  options: WeightNormOptions = {},
  ...surplus: never[]
): M {
  checkOptions("weightNorm", options, WEIGHT_NORM, surplus);
  const { name = "weight", axis } = options;
  const weight = parameterOf("weightNorm", module, name);
  const own = axis === null ? null : axisFor("weightNorm", weight, axis, 0);
  const others = [...weight.shape.keys()].filter((each) => each !== own);
  const length = (v: Parameter) => norm(v, { axis: others, keepDims: own !== null });
  const axes = own === null ? undefined : weight.pytorch?.axes;
  const g = new Parameter(length(weight), {
    name: `${name}G`,
    pytorch: { name: `${weight.pytorch?.name ?? name}_g`, axes },
  });
  const v = new Parameter(weight, {
    name: `${name}V`,
    pytorch: { ...weight.pytorch, name: `${weight.pytorch?.name ?? name}_v` },
  });
  for (const part of [g, v]) part.trainable = weight.trainable;
  // w = g · v / ‖v‖
  const value = () => mul(v, div(g, length(v)));
  computeParameter(module, name, { [`${name}G`]: g, [`${name}V`]: v }, value);
  return module;
}
