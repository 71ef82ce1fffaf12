// What decides by measurements which kernel runs. It knows no device: whoever has one says how a choice
// is timed. Part of a script that is loaded on demand.

/** A measurement takes so many milliseconds at least: clocks of GPUs are coarse. */
const LEAST_MS = 3;
/** How often each is made; the least counts. */
const TIMES = 3;
/** A kernel takes the place of the first choice if it needs less than this share of its time. */
const GAIN = 0.95;
/** What a dispatch more takes, in milliseconds. */
export const DISPATCH_MS = 0.01;
/** Choices that are compared with the first, at the most. */
const MOST_RIVALS = 4;
/** A choice that takes so many times as long as the best is measured no further. */
const HOPELESS = 4;
/** Runs of a measurement, at the most. */
const MOST_RUNS = 4096;
/** The share of the time in which plans run that measurements may take. */
const SHARE = 0.01;
/** A longer time between two runs, in milliseconds, counts as so much: it may be a pause. */
const PAUSE_MS = 250;

/** Runs a kernel `runs` times in a row, and does so `times` times; gives the milliseconds of each. */
export type TimeRuns = (runs: number, times: number) => Promise<readonly number[]>;

/** A choice that is ready to be timed. */
export interface Bench {
  readonly time: TimeRuns;
  close(): void;
}

/** How much time measurements may take. */
export interface Allowance {
  /** Waits until about so many milliseconds may be spent. */
  wait(ms: number): Promise<void>;
  /** Notes what was spent. */
  spend(ms: number): void;
}

/** An allowance without bounds. */
export const UNBOUNDED: Allowance = { wait: async () => {}, spend: () => {} };

/** Allows measurements one hundredth of the time in which plans run. */
export class ShareOfRuns implements Allowance {
  #elapsed = 0;
  #spent = 0;
  #last: number | null = null;
  #waiting: { readonly ms: number; readonly go: () => void } | null = null;

  /** `now` gives the time in milliseconds. */
  constructor(readonly now: () => number) {}

  /** Notes that a plan runs. */
  ran(): void {
    const now = this.now();
    const between = now - (this.#last ?? now);
    this.#last = now;
    this.#elapsed += Math.min(between, PAUSE_MS);
    const { ms = 0, go } = this.#waiting ?? {};
    if (!go || !this.#allows(ms)) return;
    this.#waiting = null;
    go();
  }

  wait(ms: number): Promise<void> {
    // Even where there is time at once, nothing is measured but between two runs.
    return new Promise((go) => {
      this.#waiting = { ms, go };
    });
  }

  spend(ms: number): void {
    this.#spent += ms;
  }

  #allows(ms: number): boolean {
    return this.#spent + ms <= SHARE * this.#elapsed;
  }
}

/**
 * Finds the fastest of choices, of which the first is taken unless another one needs less than 95 % of
 * its time. What fails is left out.
 * @param open makes a choice ready, as by compiling it.
 * @param extra milliseconds that a choice in the first one's place may take elsewhere.
 */
export async function fastestOf<T>(
  choices: readonly T[],
  open: (choice: T) => Promise<Bench>,
  allowance: Allowance,
  onFailure: (error: unknown) => void,
  extra: (choice: T) => number = () => 0,
): Promise<T> {
  const measured = async (choice: T, expected: number) => {
    let bench: Bench | null = null;
    try {
      bench = await open(choice);
      return await timeOf(bench.time, expected, allowance);
    } catch (error) {
      onFailure(error);
      return Number.POSITIVE_INFINITY;
    } finally {
      bench?.close();
    }
  };
  const [first, ...rivals] = choices;
  const own = rivals.length > 0 ? await measured(first, 0) : Number.POSITIVE_INFINITY;
  if (own === Number.POSITIVE_INFINITY) return first; // there is nothing to compare with
  let [best, least] = [first, GAIN * own];
  for (const rival of rivals.slice(0, MOST_RIVALS)) {
    if (extra(rival) >= least) continue; // even if it took no time
    const ms = (await measured(rival, own)) + extra(rival);
    if (ms < least) [best, least] = [rival, ms];
  }
  return best;
}

/**
 * Measures how many milliseconds a run takes: the least of three measurements of as many runs as take
 * 3 ms, or of the first one, where it takes far longer than `expected`, unless that is 0.
 */
async function timeOf(time: TimeRuns, expected: number, allowance: Allowance): Promise<number> {
  let runs = expected > 0 ? runsFor(expected) : 1;
  let each = expected;
  const take = async (times: number) => {
    await allowance.wait(Math.max(LEAST_MS, runs * each) * times);
    const found = await time(runs, times);
    allowance.spend(found.reduce((sum, ms) => sum + ms, 0));
    return Math.min(...found);
  };
  for (;;) {
    const least = await take(1);
    each = least / runs;
    if (expected > 0 && each > HOPELESS * expected) return each;
    if (least >= LEAST_MS || runs === MOST_RUNS) {
      return Math.min(least, await take(TIMES - 1)) / runs;
    }
    runs = Math.max(2 * runs, Math.min(runsFor(each), 16 * runs));
    runs = Math.min(runs, MOST_RUNS);
  }
}

/** How many runs of so many milliseconds make a measurement. */
function runsFor(ms: number): number {
  return ms > 0 ? Math.min(MOST_RUNS, Math.ceil((1.2 * LEAST_MS) / ms)) : MOST_RUNS;
}
