/** How long tiles took for one product. */
export interface MeasuredProduct {
  /** Batch, m, n and k. */
  readonly sizes: readonly number[];
  /** Milliseconds, by the names of tiles. */
  readonly times: Readonly<Record<string, number>>;
}

/**
 * What was measured on GPUs, by how the names of their adapters begin, in lower case: what the first choice of tiles
 * goes by. Written by `npm run bench -- --seed`.
 */
export const measuredProducts = new Map<string, readonly MeasuredProduct[]>(Object.entries({}));
