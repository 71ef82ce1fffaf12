/**
 * Gives a function that returns the next of a fixed series of numbers, uniform in [0, 1) with 24
 * bits: a linear congruential generator modulo 2³² (constants of Press et al., "Numerical
 * Recipes", section 7.1), of which the upper bits are used.
 */
export function uniformSeries(seed: number): () => number {
  let state = (Math.imul(seed, 2654435761) + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** Fills an array with numbers uniform in [low, high). */
export function uniformArray(seed: number, size: number, low: number, high: number): Float32Array {
  const next = uniformSeries(seed);
  return Float32Array.from({ length: size }, () => low + (high - low) * next());
}

/** Fills an array with integers uniform in [0, count). */
export function labelArray(seed: number, size: number, count: number): Int32Array {
  const next = uniformSeries(seed);
  return Int32Array.from({ length: size }, () => Math.floor(next() * count));
}

/** Turns labels into rows of zeros with a one. */
export function oneHotRows(labels: Int32Array, count: number): Float32Array {
  const rows = new Float32Array(labels.length * count);
  labels.forEach((label, i) => {
    rows[i * count + label] = 1;
  });
  return rows;
}
