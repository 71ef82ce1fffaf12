import { GradusError, KernelError } from "../../core/errors.ts";

/** The first pause, in milliseconds, at least. */
const SHORTEST_MS = 1000;
/** The share of the time that tries of one thing may take. */
const SHARE = 0.05;
/** Tries, the first among them, until it is given up. */
const MOST_TRIES = 6;

/**
 * When something that failed is tried again. What a compiler refuses it always refuses; memory may be
 * had, and answers may come in time, later. Pauses are 20 times as long as the try took, then twice as
 * long each time.
 */
export class Retries {
  #failures = 0;
  #due = Number.NEGATIVE_INFINITY;

  /** `now` gives the time in milliseconds. */
  constructor(readonly now = () => performance.now()) {}

  /** Whether it may be tried at present. */
  get isDue(): boolean {
    return this.now() >= this.#due;
  }

  /** Notes a try that began at a time and failed; says whether another one is worth while. */
  failed(error: unknown, begun: number): boolean {
    const mayPass = error instanceof GradusError && !(error instanceof KernelError);
    if (!mayPass || ++this.#failures >= MOST_TRIES) return false;
    const now = this.now();
    const pause = Math.max(SHORTEST_MS, (now - begun) / SHARE) * 2 ** (this.#failures - 1);
    this.#due = now + pause;
    return true;
  }
}
