import type { AnyModule } from "./module.ts";

/**
 * Runs `fn` with a model in training or evaluation mode and gives each module its own mode back. A
 * model that is in that mode keeps its parts as they are, such as a part in evaluation mode while
 * the whole is trained.
 */
export function inMode<T>(model: AnyModule, training: boolean, fn: () => T): T {
  if (model.training === training) return fn();
  const before = model.modules().map((module) => [module, module.training] as const);
  model.train(training);
  try {
    return fn();
  } finally {
    for (const [module, mode] of before) module.training = mode;
  }
}
