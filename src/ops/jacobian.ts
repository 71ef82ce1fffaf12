import { checkEach, checkSurplus } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { differentiate } from "../graph/grad.ts";
import { checkArguments, checkTensors, type Tensor } from "../graph/tensor.ts";
import { full, zeros } from "./creation.ts";
import { inShape } from "./reshape.ts";
import { slice, stack } from "./slice.ts";
import { where } from "./where.ts";

/**
 * Differentiates each element of y with respect to tensors: element (i…, j…) of a result is ∂y[i…]/∂x[j…].
 * It is made of one gradient for each element of y, so it costs as many times what `grad` of one does.
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
 * Differentiates a scalar twice: element (i…, j…) is ∂²y/∂x[i…]∂x[j…], made of one gradient for each element of x.
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
  const flat = inShape(y, [y.size]);
  const rows = Array.from({ length: y.size }, (_, i) => {
    const element = inShape(slice(flat, [{ start: i, end: i + 1 }]), []);
    return differentiate(what, element, targets);
  });
  return targets.map((x, at) => {
    const shape = [...y.shape, ...x.shape];
    if (y.size === 0) return zeros(shape, { dtype: x.dtype, device: x.device });
    return inShape(stack(rows.map((slopes) => slopes[at])), shape);
  });
}
