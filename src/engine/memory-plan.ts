/** A value that is in memory from one dispatch to another, both included. */
export interface Lifetime {
  readonly key: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Which values share memory. */
export interface MemoryPlan {
  /** Value → its slot. */
  readonly slots: ReadonlyMap<number, number>;
  /** Bytes of each slot. */
  readonly sizes: readonly number[];
  /** Bytes of the values that are in memory at once, at the most: no plan needs less. */
  readonly lowerBound: number;
}

/**
 * Gives values slots such that two that are in memory at once never share one. The largest come
 * first, each into the smallest slot that is free for as long as it lives (greedy by size: Pisarchyk
 * & Lee 2020, "Efficient memory management for deep neural net inference").
 */
export function planMemory(lifetimes: readonly Lifetime[]): MemoryPlan {
  const slots = new Map<number, number>();
  const sizes: number[] = [];
  const taken: SlotLives[] = [];
  const end = lifetimes.reduce((most, { first }) => Math.max(most, first), 0);
  const used = new Occupancy(end + 1);
  const bySize = [...lifetimes].sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  for (const value of bySize) {
    // Slots are made in order of falling size, so the last free one is the smallest.
    const isFull = used.most(value) === taken.length;
    let slot = isFull ? -1 : taken.findLastIndex((other) => other.isFree(value));
    if (slot < 0) slot = sizes.push(value.bytes) - 1;
    if (slot === taken.length) taken.push(new SlotLives());
    taken[slot].take(value);
    used.add(value);
    slots.set(value.key, slot);
  }
  return { slots, sizes, lowerBound: peak(lifetimes, end) };
}

/** The values in one slot, in the order of their times. */
class SlotLives {
  readonly #values: Lifetime[] = [];

  isFree({ first, last }: Lifetime): boolean {
    const next = this.#values[this.#behind(first)];
    return next === undefined || last < next.first;
  }

  take(value: Lifetime): void {
    this.#values.splice(this.#behind(value.first), 0, value);
  }

  /** The place of the first value that is in memory at a time or later. */
  #behind(time: number): number {
    let [low, high] = [0, this.#values.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#values[middle].last < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** How many slots are taken at each time: a tree of the most in ever smaller spans. */
class Occupancy {
  readonly #size: number;
  readonly #most: Int32Array;
  readonly #added: Int32Array;

  constructor(times: number) {
    this.#size = 2 ** Math.ceil(Math.log2(times));
    this.#most = new Int32Array(2 * this.#size);
    this.#added = new Int32Array(2 * this.#size);
  }

  /** The most slots that are taken at any time of a life. */
  most(life: Lifetime): number {
    return this.#visit(life, 0, 1, 0, this.#size);
  }

  add(life: Lifetime): void {
    this.#visit(life, 1, 1, 0, this.#size);
  }

  #visit(life: Lifetime, more: number, node: number, from: number, to: number): number {
    const { first, last } = life;
    if (last < from || first >= to) return 0;
    if (first <= from && to - 1 <= last) {
      this.#added[node] += more;
      this.#most[node] += more;
      return this.#most[node];
    }
    const middle = (from + to) >> 1;
    const left = this.#visit(life, more, 2 * node, from, middle);
    const right = this.#visit(life, more, 2 * node + 1, middle, to);
    this.#most[node] = this.#added[node] + Math.max(this.#most[2 * node], this.#most[2 * node + 1]);
    return this.#added[node] + Math.max(left, right);
  }
}

/** The most bytes that are in memory at once. */
function peak(lifetimes: readonly Lifetime[], end: number): number {
  const change = new Float64Array(end + 2);
  for (const { first, last, bytes } of lifetimes) {
    change[first] += bytes;
    change[Math.min(last, end) + 1] -= bytes;
  }
  let bytes = 0;
  return change.reduce((most, step) => {
    bytes += step;
    return Math.max(most, bytes);
  }, 0);
}
