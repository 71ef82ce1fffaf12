import type { State } from "../graph/state.ts";
import type { AnyModule } from "./module.ts";

/** Counts the places among the parts of a model's modules where a state lies. */
export function countHolders(model: AnyModule, state: State): number {
  const parts = model.modules().flatMap((module) => [...module.children()]);
  return parts.filter(([, part]) => part === state).length;
}
