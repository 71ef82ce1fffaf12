import type { Tensor } from "../graph/tensor.ts";
import type { AnyModule } from "./module.ts";

/** Names the matrices that a module reads by `weightIn`. */
export const matrices: unique symbol = Symbol("matrices");

/** A module that computes with matrices of its own, which something may be added to. */
export interface WithMatrices {
  [matrices](): readonly string[];
}

/** A module → what it computes with in the place of weights, by name. */
const replaced = new WeakMap<object, ReadonlyMap<string, () => Tensor>>();

/** Gives a weight of a module, or what is computed in its place. */
export function weightIn(module: WithMatrices, name: string): Tensor {
  const own = module as unknown as Readonly<Record<string, Tensor>>;
  return replaced.get(module)?.get(name)?.() ?? own[name];
}

/** Has a module compute with something else in the place of weights from now on; with null, no more. */
export function replaceWeights(
  module: AnyModule,
  by: ReadonlyMap<string, () => Tensor> | null,
): void {
  if (by) replaced.set(module, by);
  else replaced.delete(module);
}
