import { checkFunctions, checkSurplus } from "../core/check.ts";
import { passThrough } from "./identity.ts";
import { apply, type Tensor } from "./tensor.ts";

/** y = x, with no gradient: what lies below counts as constant. */
const stopGradientOp = passThrough("stopGradient", null, true);

/** y = the first input; each node has a gradient of its own. */
const customGradOp = passThrough("customGrad", null);

/**
 * Passes values through and counts as constant: gradients do not reach what x was computed from.
 * @example
 * const x = tensor([3]);
 * const [dx] = grad(sum(mul(x, stopGradient(x))), [x]);
 * await dx.toArray(); // [3]
 */
export function stopGradient(x: Tensor, ...surplus: never[]): Tensor {
  checkSurplus("stopGradient(x)", surplus);
  return apply(stopGradientOp, [x], {});
}

/**
 * Gives a function a gradient rule of its own.
 *
 * @param fn computes the result from its arguments.
 * @param vjp gives each argument's cotangent (null for zeros) from the result's cotangent `g`.
 * @example
 * // Rounds down, and passes gradients straight through.
 * const x = tensor([1.5, 2.5]);
 * const straight = customGrad((v: Tensor) => floor(v), (g) => [g]);
 * const [dx] = grad(sum(square(straight(x))), [x]);
 * await dx.toArray(); // [2, 4]
 */
export function customGrad<Args extends Tensor[]>(
  fn: (...args: Args) => Tensor,
  vjp: (g: Tensor, y: Tensor, ...args: Args) => readonly (Tensor | null)[],
  ...surplus: never[]
): (...args: Args) => Tensor {
  checkSurplus("customGrad(fn, vjp)", surplus);
  checkFunctions("customGrad", { fn, vjp });
  return (...args) => {
    const y = apply(customGradOp, [fn(...args), ...args], {});
    y.node.vjp = (g, context) => [null, ...vjp(g, context.y, ...(context.inputs.slice(1) as Args))];
    return y;
  };
}
