/**
 * Gives f = ⌈2^s / n⌉ and s with ⌊x / n⌋ = ⌊x · f / 2^s⌋ for all x below `size`; null where there are
 * none with which the product has 32 bits (Granlund and Montgomery 1994).
 */
export function divisionFactor(size: number, n: number): readonly [f: number, s: number] | null {
  for (let s = 0; ; s++) {
    const f = Math.ceil(2 ** s / n);
    if ((size - 1) * f >= 2 ** 32) return null;
    if ((size - 1) * (f * n - 2 ** s) < 2 ** s) return [f, s];
  }
}
