import type { Access } from "./addresses.ts";

/** The sizes of an axis cut into digits by divisors that divide each other; else its own. */
export function digitSizes(n: number, divisors: ReadonlySet<number> = new Set()): number[] {
  const chain = [1, ...[...divisors].filter((d) => d < n).sort((a, b) => a - b), n];
  const parts = chain.slice(1).map((d, i) => d / chain[i]);
  return parts.every(Number.isInteger) ? parts.reverse() : [n];
}

/** The sizes of digits, those as one that all that is read lies for as if they were; locals count them. */
export function joinedDigits(
  sizes: readonly number[],
  locals: readonly number[],
  accesses: readonly Access[],
): number[] {
  const joined: number[] = [];
  sizes.forEach((size, i) => {
    const isOne = accesses.every(({ counts }) => {
      const [outer, inner] = [i - 1, i].map((j) => counts.get(locals[j]) ?? 0);
      return outer === inner * size;
    });
    if (i > 0 && isOne) joined.push((joined.pop() as number) * size);
    else joined.push(size);
  });
  return joined;
}
