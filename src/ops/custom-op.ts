import { checkSurplus, describeValue } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { isPlainObject } from "../core/kind.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { ForEachInput } from "./custom-inputs.ts";
import { type CustomKernel, customKernel } from "./custom-kernel.ts";
import { type CustomPointwise, customPointwise } from "./custom-pointwise.ts";

/** An op of one's own: takes tensors, at least one, and numbers. */
export type CustomFunction<Inputs extends readonly string[]> = (
  ...inputs: ForEachInput<Inputs, Tensor | number>
) => Tensor;

/**
 * Makes an op of one's own from WGSL and a function that computes the same on the CPU: pointwise, and so
 * fused into other kernels, or, with `shape`, a kernel, into which others are fused.
 *
 * Make it once, at the top of a module: each call makes another op, which no plan knows. What Gradus'
 * ops can say needs none: those that are pointwise become one kernel by themselves, and `customGrad` gives
 * them another gradient. docs/custom-ops.md has an example of each kind.
 * @throws GradusError for a definition that is none. WGSL that does not compile is a `KernelError` of
 * what is computed with it, with the compiler's message and the line in the text; so is what `cpu` throws.
 * @example
 * const softClip = customOp({
 *   name: "softClip",
 *   inputs: ["x"],
 *   wgsl: "x / (1.0 + abs(x))",
 *   cpu: (x) => x / (1 + Math.abs(x)),
 *   vjp: (g, y, x) => [div(g, square(add(abs(x), 1)))],
 * });
 * await softClip(tensor([-1, 0, 3])).toArray(); // [-0.5, 0, 0.75]
 */
export function customOp<const Inputs extends readonly string[]>(
  definition: CustomKernel<Inputs>,
  ...surplus: never[]
): CustomFunction<Inputs>;
export function customOp<const Inputs extends readonly string[]>(
  definition: CustomPointwise<Inputs>,
  ...surplus: never[]
): CustomFunction<Inputs>;
export function customOp(
  definition: CustomKernel<readonly string[]> | CustomPointwise<readonly string[]>,
  ...surplus: never[]
): CustomFunction<readonly string[]> {
  checkSurplus("customOp(definition)", surplus);
  if (!isPlainObject(definition)) {
    throw new GradusError(
      `customOp: definition ${describeValue(definition)}; expected an object of name, inputs, wgsl and cpu`,
    );
  }
  const make = isKernel(definition) ? customKernel(definition) : customPointwise(definition);
  return { [definition.name]: make }[definition.name];
}

function isKernel(
  definition: CustomKernel<readonly string[]> | CustomPointwise<readonly string[]>,
): definition is CustomKernel<readonly string[]> {
  return "shape" in definition;
}
