import { checkKinds, checkSurplus } from "../core/check.ts";
import { checkpoint } from "../graph/checkpoint.ts";
import { putAround } from "./around-forward.ts";
import { type AnyModule, Module } from "./module.ts";

/**
 * Has gradients keep only the inputs of a module, and compute again what is inside when they need it,
 * as `checkpoint` does for functions: a deep net of such blocks takes less memory, for the time of one
 * more pass forward. Values and gradients are the same, bit for bit; running statistics and counters
 * are changed once. Names of states stay as they are.
 * Source: Chen et al. 2016, "Training deep nets with sublinear memory cost".
 * @returns the module itself.
 * @throws GradusError for what is no module.
 * @example
 * const block = () => new Sequential(new Linear(64, 64), gelu, new Linear(64, 64));
 * new Sequential(checkpointBlock(block()), checkpointBlock(block()), new Linear(64, 10));
 */
export function checkpointBlock<M extends AnyModule>(module: M, ...surplus: never[]): M {
  checkSurplus("checkpointBlock(module)", surplus);
  checkKinds("checkpointBlock", { module }, (x) => x instanceof Module, "a module");
  putAround(module, checkpointBlock, (forward, inputs) => checkpoint(forward)(...inputs));
  return module;
}
