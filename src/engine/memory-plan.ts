import { bisect } from "../core/bisect.ts";

/** A value that is in memory from one dispatch to another, both included. */
export interface Lifetime {
  readonly key: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
  /** Which buffer it shares with others, if any: slots are of one buffer. */
  readonly buffer?: number;
}

/** Which values share memory. */
export interface MemoryPlan {
  /** Value → its slot. */
  readonly slots: ReadonlyMap<number, number>;
  /** Bytes of each slot. */
  readonly sizes: readonly number[];
  /** The buffer of each slot, if it shares one. */
  readonly buffers: readonly (number | undefined)[];
}

/**
 * Gives values slots such that two that are in memory at once never share one. The largest come
 * first, each into the smallest slot that is free for as long as it lives (greedy by size: Pisarchyk
 * & Lee 2020, "Efficient memory management for deep neural net inference").
 */
export function planMemory(lifetimes: readonly Lifetime[]): MemoryPlan {
  const slots = new Map<number, number>();
  const sizes: number[] = [];
  const buffers: (number | undefined)[] = [];
  /** The values of each slot, in the order of their times. */
  const taken: Lifetime[][] = [];
  const end = lifetimes.reduce((most, { first }) => Math.max(most, first), 0) + 1;
  /** At each time, how many slots are taken. */
  const counts = new Uint32Array(end);
  const bySize = [...lifetimes].sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  for (const value of bySize) {
    const { first, last, bytes, buffer } = value;
    // Slots are made in order of falling size, so the last free one is the smallest.
    const isFull = counts.subarray(first, last + 1).includes(taken.length);
    const placeIn = (slot: Lifetime[]) => bisect(slot, (other) => other.last < first);
    const isFree = (slot: Lifetime[]) => !(slot[placeIn(slot)]?.first <= last);
    const fits = (slot: Lifetime[], i: number) => buffers[i] === buffer && isFree(slot);
    let slot = isFull ? -1 : taken.findLastIndex(fits);
    if (slot < 0) {
      slot = sizes.push(bytes) - 1;
      taken.push([]);
      buffers.push(buffer);
    }
    taken[slot].splice(placeIn(taken[slot]), 0, value);
    slots.set(value.key, slot);
    for (let time = first; time <= last && time < end; time++) counts[time]++;
  }
  return { slots, sizes, buffers };
}
