import type { Node } from "../graph/node.ts";
import { stateOf } from "../graph/state.ts";

/** What a run that is checked gives; `settle` has states change before the check is over. */
export type CheckedRun<R> = Promise<R> & { settle?(): void };

/**
 * The place of a call among others, from when it is made until it has run: what has states in common
 * with it comes before or behind it, and what cannot wait for it has it run at once.
 */
export class CallTurn<R> {
  readonly #before: readonly Promise<void>[];
  #made: R | Promise<R> | undefined;
  #outcome: Promise<R> | null = null;
  #end!: () => void;
  readonly #ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });

  /**
   * @param changed the states that it changes, and that of which calls run one after the other.
   * @param uses the same, and all states and values that it needs.
   * @param run gives a promise where it may fail later.
   */
  constructor(
    readonly turns: Set<CallTurn<unknown>>,
    readonly changed: ReadonlySet<object>,
    readonly uses: ReadonlySet<object>,
    readonly run: () => R | Promise<R>,
  ) {
    const overlap = (a: CallTurn<unknown>, b: CallTurn<unknown>) =>
      [...a.changed].some((x) => b.uses.has(x));
    const others = [...turns].filter((other) => overlap(other, this) || overlap(this, other));
    this.#before = others.map((other) => other.#ended);
    turns.add(this);
  }

  /** Runs it when it is ready and those before it have run, unless somebody could not wait. */
  async take(ready: Promise<void> | null): Promise<R> {
    try {
      await Promise.all([ready, ...this.#before]);
    } catch (error) {
      if (!this.#outcome) throw error;
    }
    return this.#begin().catch((error) => {
      this.#outcome = null; // where its device was lost, it is going to run again
      throw error;
    });
  }

  /** Runs it at once; what goes wrong is told to who waits for it. */
  hurry(): void {
    this.#begin().catch(() => {});
    if (isPromise(this.#made)) (this.#made as CheckedRun<R>).settle?.();
  }

  #begin(): Promise<R> {
    const begin = async () => {
      this.#made = this.run();
      if (!isPromise(this.#made)) this.end();
      return this.#made;
    };
    this.#outcome ??= begin();
    return this.#outcome;
  }

  /** Lets those behind it run. */
  end(): void {
    this.turns.delete(this);
    this.#end();
  }
}

/** Whether something is to be waited for. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Promise<T> | null | undefined)?.then === "function";
}

/** What a value is known by while it waits: the state whose present value it is, or itself. */
export function turnKey(node: Node): object {
  return stateOf(node) ?? node;
}
