/** Median and spread of some numbers. */
export interface Summary {
  readonly median: number;
  /** Lower and upper quartile. */
  readonly q1: number;
  readonly q3: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Gives the quantile of sorted numbers, linear between neighbours (Hyndman and Fan 1996, "Sample
 * quantiles in statistical packages", definition 7).
 */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) throw new Error("quantile: no numbers; expected at least one");
  const place = (sorted.length - 1) * share;
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
}

/** Summarizes one or more numbers. */
export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    q1: quantile(sorted, 0.25),
    q3: quantile(sorted, 0.75),
    min: sorted[0],
    max: sorted[sorted.length - 1],
  };
}

/**
 * Gives the largest |y − reference| over the largest |reference|; infinity when y has another
 * length or holds something that is not a finite number.
 */
export function relativeError(y: ArrayLike<number>, reference: ArrayLike<number>): number {
  if (y.length !== reference.length) return Number.POSITIVE_INFINITY;
  let [off, scale] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    if (!Number.isFinite(y[i])) return Number.POSITIVE_INFINITY;
    off = Math.max(off, Math.abs(y[i] - reference[i]));
    scale = Math.max(scale, Math.abs(reference[i]));
  }
  return off === 0 ? 0 : off / scale;
}
