import { checkSteps } from "../core/check.ts";

/**
 * Pauses a run of `train` or `fit` from outside of it, and lets it go on: between two steps, with the
 * same bits as without a pause. What was under way is reported first. A signal ends a paused run too.
 * @example
 * const control = new RunControl();
 * const done = fit({ model, optimizer, loss, loader, epochs: 2, control });
 * control.pause(); // such as by a button
 * control.resume();
 * await done;
 */
export class RunControl {
  #paused = false;
  readonly #waiting = new Set<() => void>();
  /** Steps until it is paused again; Infinity where it is not to be. */
  #left = Number.POSITIVE_INFINITY;

  /** Whether no step is to be made. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Has the run wait before its next step. */
  pause(): void {
    this.#paused = true;
  }

  /** Lets the run go on. */
  resume(): void {
    this.#go(Number.POSITIVE_INFINITY);
  }

  /**
   * Lets the run make some steps, one when left out, and pauses it then.
   * @throws GradusError unless that is an integer from 1.
   */
  step(count = 1): void {
    checkSteps("RunControl: step", { count });
    this.#go(count);
  }

  /** Counts a step that a run has made. */
  made(): void {
    if (--this.#left === 0) this.pause();
  }

  #go(steps: number): void {
    this.#left = steps;
    this.#paused = false;
    for (const go of this.#waiting) go();
  }

  /** Waits until it is not paused, or a signal ends the run. */
  ready(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        this.#waiting.delete(go);
        signal?.removeEventListener("abort", go);
        resolve();
      };
      if (!this.#paused || signal?.aborted) return go();
      this.#waiting.add(go);
      signal?.addEventListener("abort", go);
    });
  }
}
