/** A way of doing a job has to be so much faster than the other to be preferred. */
const GAIN = 0.97;
/** After so many jobs at least the other way is tried, and so seldom that trials cost a hundredth. */
const SOON = 8;
const TRIALS_COST = 0.01;
/** Of the first times of a way the shortest counts, since code is still being made. */
const FIRST = 4;
/** The weight of each later one, which says no more than that it was so many times what is usual. */
const WEIGHT = 0.2;
const LONGEST = 3;

/** What a way of doing a job usually takes. */
class UsualTime {
  /** Infinite before the first time. */
  value = Infinity;
  #count = 0;

  add(time: number): void {
    const { value } = this;
    if (++this.#count <= FIRST) this.value = Math.min(value, time);
    else this.value += WEIGHT * (Math.min(time, LONGEST * value) - value);
  }
}

/**
 * Finds whether a job that comes again and again is done sooner with others than alone, by the time
 * that both take. On busy cores help costs more than it gives, and nothing but time shows that.
 */
export class SharingPace {
  readonly #alone = new UsualTime();
  readonly #shared = new UsualTime();
  /** Jobs until the other way is tried. */
  #left = SOON;

  /** Whether the next job is shared. */
  get isShared(): boolean {
    if (this.#shared.value === Infinity) return true;
    if (this.#alone.value === Infinity) return false;
    return this.#isBetter !== (this.#left === 0);
  }

  /** Notes how long a job took that was shared or not. */
  note(isShared: boolean, time: number): void {
    (isShared ? this.#shared : this.#alone).add(time);
    if (--this.#left >= 0) return;
    const [best, other] = [this.#shared.value, this.#alone.value].sort((a, b) => a - b);
    this.#left = Math.max(SOON, Math.ceil((other / best - 1) / TRIALS_COST));
  }

  get #isBetter(): boolean {
    return this.#shared.value < GAIN * this.#alone.value;
  }
}
