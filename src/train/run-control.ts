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
