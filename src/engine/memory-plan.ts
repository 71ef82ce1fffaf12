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
  const taken: Lifetime[][] = [];
  const bySize = [...lifetimes].sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  for (const value of bySize) {
    // Slots are made in order of falling size, so the last free one is the smallest.
    let slot = taken.findLastIndex((others) => others.every((other) => isApart(other, value)));
    if (slot < 0) {
      slot = sizes.push(value.bytes) - 1;
      taken.push([]);
    }
    taken[slot].push(value);
    slots.set(value.key, slot);
  }
  return { slots, sizes, lowerBound: peak(lifetimes) };
}

function isApart(a: Lifetime, b: Lifetime): boolean {
  return a.last < b.first || b.last < a.first;
}

function peak(lifetimes: readonly Lifetime[]): number {
  const at = (time: number) =>
    lifetimes.reduce(
      (sum, { first, last, bytes }) => (first <= time && time <= last ? sum + bytes : sum),
      0,
    );
  return Math.max(0, ...lifetimes.map(({ first }) => at(first)));
}
