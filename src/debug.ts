import { tools } from "./core/tools.ts";
import type { DebugOptions } from "./debug/watcher.ts";

/**
 * Runs a function, and checks meanwhile what each op gives by its bits, on every device: in
 * evaluations, in compiled functions and in `train` and `fit`, forward and gradient. The first op
 * that makes a NaN is an error that names it, its place in the model, the line that called it and
 * the step; so is an infinity made of finite numbers that reaches a result or becomes a NaN, and an
 * index or a label outside its range.
 *
 * A step in which something is found leaves states as they were before. Evaluations are not
 * waited for: the next read tells of them, or the end of `debug`. Tensors that the function returns
 * are computed before it ends. Whatever else the program does meanwhile is checked too, and calls of
 * one compiled function run one after the other. Calls of `debug` may overlap and lie in each other;
 * `init({ debug: true })` checks from then on.
 * @param fn may be asynchronous.
 * @throws NonFiniteError or IndexError for what was found; GradusError for unknown options.
 * @example
 * const x = tensor([1, 0, -1]);
 * const error = await debug(() => sqrt(x)).catch((found: NonFiniteError) => found);
 * error.place; // "sqrt"
 * @example
 * const step = trainStep({ model, optimizer, loss });
 * await debug(async () => {
 *   for (let i = 0; i < 100; i++) await step(batch);
 * });
 */
export async function debug<T>(
  fn: () => T | PromiseLike<T>,
  options: DebugOptions = {},
  ...surplus: never[]
): Promise<T> {
  const { watcher } = await tools.get();
  return watcher.during(fn, options, surplus);
}
