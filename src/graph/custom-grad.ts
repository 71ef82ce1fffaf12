import { passThrough } from "./identity.ts";
import { apply, type Tensor } from "./tensor.ts";

/** y = x, with no gradient: what lies below counts as constant. */
const stopGradientOp = passThrough("stopGradient", () => [null]);

/** Passes values through and stops gradients. */
export function stopGradient(x: Tensor): Tensor {
  return apply(stopGradientOp, [x], {});
}

/**
 * Gives a function a gradient rule of its own.
 *
 * @param fn computes the result from its arguments.
 * @param vjp gives each argument's cotangent (null for none) from the result's cotangent `g`.
 */
export function customGrad<Args extends Tensor[]>(
  fn: (...args: Args) => Tensor,
  vjp: (g: Tensor, y: Tensor, ...args: Args) => readonly (Tensor | null)[],
): (...args: Args) => Tensor {
  return (...args) => {
    const op = passThrough("customGrad", (g, { y }) => [null, ...vjp(g, y, ...args)]);
    return apply(op, [fn(...args), ...args], {});
  };
}
