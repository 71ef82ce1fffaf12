/** Numbers to feed kernels with. */

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
