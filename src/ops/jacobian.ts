import { checkEach, checkSurplus } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { differentiate } from "../graph/grad.ts";
import { checkArguments, checkTensors, type Tensor } from "../graph/tensor.ts";
import { mul } from "./arithmetic.ts";
import { eye, full } from "./creation.ts";
import { sum } from "./reduce.ts";
import { inShape } from "./reshape.ts";
import { vmap } from "./vmap.ts";
import { where } from "./where.ts";

/**
 * Differentiates each element of y with respect to tensors: element (i…, j…) of a result is ∂y[i…]/∂x[j…].
 * The gradients of all elements are computed at once, by `vmap`: there are as many kernels as for one.
 * @param y floats of any shape.
 * @param targets f32 or f64: inputs, parameters or values between.
 * @returns tensors of y's shape followed by the target's, which can be differentiated again.
 * @throws as `grad` does.
 * @example
 * const x = tensor([1, 2]);
 * const [dx] = jacobian(square(x), [x]);
 * await dx.toArray(); // [[2, 0], [0, 4]]
 */
export function jacobian(y: Tensor, targets: readonly Tensor[], ...surplus: never[]): Tensor[] {
  checkSurplus("jacobian(y, [x, …])", surplus);
  checkTensors("jacobian", [y]);
  checkEach("jacobian", { targets }, Array.isArray, "an array of tensors. Did you mean [x]?");
  checkTensors("jacobian", targets);
  return elementSlopes("jacobian: y", y, targets);
}

/**
 * Differentiates a scalar twice: element (i…, j…) is ∂²y/∂x[i…]∂x[j…]. See `jacobian`.
 * @param y a scalar, f32 or f64.
 * @param x f32 or f64: an input, a parameter or a value between.
 * @returns a tensor of x's shape twice; zeros where y is linear in x.
 * @throws as `grad` does.
 * @example
 * const x = tensor([1, 2]);
 * await hessian(sum(pow(x, 3)), x).toArray(); // [[6, 0], [0, 12]]
 */
export function hessian(y: Tensor, x: Tensor, ...surplus: never[]): Tensor {
  checkArguments("hessian(y, x)", [y, x], surplus);
  expectDType("hessian: x has dtype", x.dtype, "float");
  const [slope] = differentiate("hessian: y", y, [x]);
  // The slope of what is linear does not depend on x, for which its own slopes are zeros.
  const always = full([], 1, { dtype: "bool", device: x.device });
  return elementSlopes("hessian: y", where(always, slope, x), [x])[0];
}

function elementSlopes(what: string, y: Tensor, targets: readonly Tensor[]): Tensor[] {
  expectDType(`${what} has dtype`, y.dtype, "float");
  const of = (weights: Tensor) => differentiate(what, sum(mul(y, weights)), targets);
  // Row i of the identity matrix weighs element i alone.
  const { dtype, device, shape } = y;
  const rows = vmap(of)(inShape(eye(y.size, y.size, { dtype, device }), [y.size, ...shape]));
  return rows.map((slopes, at) => inShape(slopes, [...shape, ...targets[at].shape]));
}
