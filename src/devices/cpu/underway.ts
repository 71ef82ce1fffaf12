import { DeviceError } from "../../core/errors.ts";
import { nextTask, SLICE_MS } from "../../core/event-loop.ts";

/** A run that takes longer goes on between other tasks of the page. */
export const LONG_MS = 50;

/** What a run that ends in the middle throws. */
export function failureOf(error: Error): DeviceError {
  if (error instanceof DeviceError) return error;
  return new DeviceError(`run: ${error.message}; expected a run to its end`);
}

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
  /** Whether it is being computed right now: runs that are parts of it are over when they return. */
  #isBusy = false;
  #waiting: (() => void)[] = [];
  /** Settles when the run is over; undefined when none is under way. */
  room: Promise<void> | undefined;

  /** Lets a run go on by and by; one that was under way has to be over. */
  begin(rest: RunRest): void {
    if (this.#isBusy) {
      rest.advance(Number.POSITIVE_INFINITY);
      return;
    }
    this.#rest = rest;
    this.room = new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
    this.#goOn(rest);
  }

  /** Computes at once what is left. */
  finish(): void {
    if (this.#rest && !this.#isBusy) this.#advance(this.#rest, Number.POSITIVE_INFINITY);
  }

  /** Calls a function when the run is over, before anything else can be done; now where none is. */
  afterwards(fn: () => void): void {
    if (this.#rest && !this.#isBusy) this.#waiting.push(fn);
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
    this.#isBusy = true;
    try {
      if (!rest.advance(most)) return;
    } catch (error) {
      rest.fail(error as Error);
    } finally {
      this.#isBusy = false;
    }
    const waiting = this.#waiting;
    this.#rest = null;
    this.#waiting = [];
    this.room = undefined;
    for (const fn of waiting) fn();
  }
}
