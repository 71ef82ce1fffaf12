import { PriorityQueue } from "./priority-queue.ts";

/** More than there are tokens, so that a pair of them is one number. */
const TOKENS = 2 ** 26;

/** Two tokens beside each other as one number. */
export function pairOf(left: number, right: number): number {
  return left * TOKENS + right;
}

/** The two tokens of a pair. */
export function tokensOf(pair: number): [left: number, right: number] {
  return [Math.floor(pair / TOKENS), pair % TOKENS];
}

/** More than a piece has bytes, so that a rank and a place are one number. */
const PLACES = 2 ** 27;

/** Which pairs of tokens become one, in the order of their ranks. */
export class Merges {
  readonly #ranks = new Map<number, number>();
  readonly #made: number[] = [];

  /** Gives a pair the next rank. */
  add(left: number, right: number, made: number): void {
    this.#ranks.set(pairOf(left, right), this.#made.length);
    this.#made.push(made);
  }

  /**
   * Merges a piece's tokens: all places of the pair of lowest rank from left to right, then those of
   * what is lowest among the pairs that there are now, until none is left. Source: GPT-2's encoder.py,
   * `bpe`; in a time of n log n.
   */
  apply(tokens: Int32Array): Int32Array {
    const count = tokens.length;
    const next = Int32Array.from({ length: count }, (_, i) => i + 1);
    const before = Int32Array.from({ length: count }, (_, i) => i - 1);
    const queue = new PriorityQueue<number>((a, b) => a < b);
    const rankAt = (i: number) => {
      const j = next[i];
      if (tokens[i] < 0 || j >= count) return undefined;
      return this.#ranks.get(pairOf(tokens[i], tokens[j]));
    };
    const enter = (i: number) => {
      const rank = i < 0 ? undefined : rankAt(i);
      if (rank !== undefined) queue.push(rank * PLACES + i);
    };
    for (let i = 0; i < count; i++) enter(i);
    while (queue.first !== undefined) {
      const rank = Math.floor(queue.first / PLACES);
      const changed: number[] = [];
      while (queue.first !== undefined && Math.floor(queue.first / PLACES) === rank) {
        const i = (queue.pop() as number) % PLACES;
        if (rankAt(i) !== rank) continue;
        const j = next[i];
        tokens[i] = this.#made[rank];
        tokens[j] = -1;
        next[i] = next[j];
        if (next[j] < count) before[next[j]] = i;
        changed.push(before[i], i);
      }
      changed.forEach(enter);
    }
    return tokens.filter((token) => token >= 0);
  }
}
