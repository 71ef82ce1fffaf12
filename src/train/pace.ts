/** A step, and the milliseconds of work until it was made. */
export interface Moment {
  readonly time: number;
  readonly step: number;
}

/** Tells how fast a run makes its steps; while it rests, in a pause or a measurement, no time passes. */
export class Pace {
  /** Milliseconds of rest. */
  #rested = 0;

  /** The moment of a step that was made, now or at another time of `performance.now`. */
  at(step: number, time = performance.now()): Moment {
    return { time: time - this.#rested, step };
  }

  /** Counts the time since one of `performance.now` as rest. */
  restedSince(time: number): void {
    this.#rested += performance.now() - time;
  }
}

/** Steps a second between two moments. */
export function paceBetween(since: Moment, now: Moment): number {
  const seconds = Math.max(1e-6, (now.time - since.time) / 1000);
  return (now.step - since.step) / seconds;
}
