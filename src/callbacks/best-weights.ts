import { dispose } from "../core/dispose.ts";
import { assignAll, State } from "../graph/state.ts";
import type { AnyModule } from "../nn/module.ts";
import { checkMethods } from "../train/check-options.ts";

/**
 * Keeps a copy of a model's states on its device, the present ones to begin with.
 * @example
 * const best = new BestWeights(model);
 * if (improved) best.keep();
 * best.restore();
 */
export class BestWeights {
  readonly #pairs: readonly (readonly [state: State, copy: State])[];
  readonly #copies: ReadonlyMap<string, State>;

  constructor(model: AnyModule) {
    checkMethods("BestWeights", { model }, ["state"], "a Module");
    const copies = [...model.state()].map(([name, state]) => {
      return [name, state, new State(state, { name: `best.${name}` })] as const;
    });
    this.#pairs = copies.map(([, state, copy]) => [state, copy]);
    this.#copies = new Map(copies.map(([name, , copy]) => [name, copy]));
  }

  /** Copies the model's present states. */
  keep(): void {
    assignAll(this.#pairs.map(([state, copy]) => [copy, state]));
  }

  /** Gives the model the states that were kept. */
  restore(): void {
    assignAll(this.#pairs);
  }

  /** The copies by the names of what they are copies of. */
  state(): ReadonlyMap<string, State> {
    return this.#copies;
  }

  /** Frees the copies. */
  dispose(): void {
    for (const copy of this.#copies.values()) copy.dispose();
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }
}
