import { nextTask, SLICE_MS } from "../../core/event-loop.ts";

/** What a run has still to do. */
export interface RunRest {
  /** Computes for some milliseconds; says whether nothing is left. */
  advance(most: number): boolean;
  /** Told why the rest cannot be computed. */
  fail(error: Error): void;
}

/**
 * The run that goes on between other tasks of the page. Nobody sees it half done: whoever needs what
 * it reads or writes, and cannot wait, has it finished first.
 */
export class Underway {
  #rest: RunRest | null = null;
  #waiting: (() => void)[] = [];
  /** Settles when the run is over; undefined when none is under way. */
  room: Promise<void> | undefined;

  /** Lets a run go on by and by; one that was under way has to be over. */
  begin(rest: RunRest): void {
    this.#rest = rest;
    this.room = new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
    this.#goOn(rest);
  }

  /** Computes at once what is left. */
  finish(): void {
    if (this.#rest) this.#advance(this.#rest, Number.POSITIVE_INFINITY);
  }

  /** Calls a function when the run is over, before anything else can be done; now where none is. */
  afterwards(fn: () => void): void {
    if (this.#rest) this.#waiting.push(fn);
    else fn();
  }

  async #goOn(rest: RunRest): Promise<void> {
    for (;;) {
      await nextTask();
      if (this.#rest !== rest) return;
      this.#advance(rest, SLICE_MS);
    }
  }

  #advance(rest: RunRest, most: number): void {
    try {
      if (!rest.advance(most)) return;
    } catch (error) {
      rest.fail(error as Error);
    }
    const waiting = this.#waiting;
    this.#rest = null;
    this.#waiting = [];
    this.room = undefined;
    for (const fn of waiting) fn();
  }
}
