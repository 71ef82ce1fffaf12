/** Numbers to feed kernels with, and how far a result may be from its float64 reference. */
import type { Numbers } from "./raw-kernel.ts";

/** Makes a generator of uniform numbers in [0, 1) (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Makes `size` uniform numbers in [low, high), rounded to f32. */
export function uniform(size: number, seed = 1, low = -1, high = 1): Float32Array {
  const next = generator(seed);
  return Float32Array.from({ length: size }, () => low + next() * (high - low));
}

/** Throws unless |actual − expected| ≤ tolerance(expected, i); NaN and ±∞ must be equal. */
export function expectClose(
  actual: Numbers,
  expected: ArrayLike<number>,
  tolerance: (expected: number, i: number) => number,
): void {
  if (actual.length !== expected.length) throw new Error(`length ${actual.length}`);
  for (let i = 0; i < expected.length; i++) {
    const isEqual = Object.is(actual[i], expected[i]) || actual[i] === expected[i];
    const error = Math.abs(actual[i] - expected[i]);
    const isClose = Number.isFinite(expected[i]) && error <= tolerance(expected[i], i);
    if (isEqual || isClose) continue;
    throw new Error(`[${i}]: ${actual[i]}; expected ${expected[i]} ± ${tolerance(expected[i], i)}`);
  }
}

/** The promise for elementwise and row kernels: 1e-5 relative + 1e-6 absolute. */
export const elementwise = (expected: number): number => 1e-5 * Math.abs(expected) + 1e-6;
