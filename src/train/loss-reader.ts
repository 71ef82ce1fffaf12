import type { StepRecord } from "./train-step.ts";

/** What some steps in a row gave, once it has been read. */
export interface LossWindow {
  readonly records: readonly StepRecord[];
  /** How many examples each was made on. */
  readonly examples: readonly number[];
  /** The last of them, counted from 1. */
  readonly step: number;
  /** Whether the last of them is one at which a step is to be reported. */
  readonly report: boolean;
  /** When its losses had arrived, as `performance.now` tells. */
  readonly time: number;
}

/** Steps whose losses are read together, at the most. */
export const WINDOW = 256;
/** Windows that may be under way on the device while the next one is enqueued. */
const AHEAD = 2;

/** Reads losses some steps behind the step being enqueued, so that reads do not stall the device. */
export class LossReader {
  readonly #reads: Promise<LossWindow>[] = [];
  #flushed = 0;
  /** Of each step since. */
  #examples: number[] = [];

  constructor(readonly source: { read(): Promise<StepRecord[]> }) {}

  /** Leaves out the steps up to one, before the first that is pushed. */
  skip(step: number): void {
    this.#flushed = step;
  }

  /** Notes that a step on some examples was enqueued. */
  push(step: number, examples: number, report: boolean): void {
    this.#examples.push(examples);
    if (report || step - this.#flushed === WINDOW) this.flush(step, report);
  }

  /** Starts to read the losses of all steps up to one. */
  flush(step: number, report = false): void {
    if (step === this.#flushed) return;
    this.#flushed = step;
    const examples = this.#examples;
    this.#examples = [];
    const read = this.source.read().then((records) => {
      return { records, examples, step, report, time: performance.now() };
    });
    read.catch(() => {}); // reported when its turn comes
    this.#reads.push(read);
  }

  /** Whether so many windows are under way that one is to be waited for. */
  get isDue(): boolean {
    return this.#reads.length > AHEAD;
  }

  /** Waits for the oldest window if too many are under way, or if `all` must be read. */
  async next(all = false): Promise<LossWindow | undefined> {
    return this.isDue || all ? this.#reads.shift() : undefined;
  }

  /** Waits for all windows under way, and leaves each to its turn. */
  settle(): Promise<LossWindow[]> {
    return Promise.all(this.#reads);
  }

  /** Waits for reads under way. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#reads.splice(0));
  }
}
