import { ShapeError } from "./errors.ts";
import { type Key, threefry2x32 } from "./random.ts";

/** How `shuffledIndex` writes a number x: as h · low + l, with l below `low` and h below `high`. */
export interface ShuffleDomain {
  /** Even: otherwise every round, and so the whole, might only give even permutations. */
  readonly low: number;
  readonly high: number;
  /** How often both halves are changed. */
  readonly roundPairs: number;
}

// Second words of Threefry's counters. 0 is taken by `randomBits` and its like, 1 by `foldIn`.
const DRAW = 2;
const ROUND = 3; // and up, one a round

const TWO_16 = 2 ** 16;
const block = new Uint32Array(2);

/**
 * Gives the domain of `shuffledIndex` for 1 ≤ n ≤ 2³²: n ≤ low · high < n + low, low ≤ 2¹⁶.
 *
 * Two numbers with one half in common keep their distance through all rounds with a probability of
 * high^−roundPairs, which is at most 2⁻¹⁶: that takes 16 pairs for n = 3, 3 pairs from n = 1,681.
 */
export function shuffleDomain(n: number): ShuffleDomain {
  const low = 2 * Math.ceil(Math.sqrt(n) / 2);
  const high = Math.ceil(n / low);
  let roundPairs = 3;
  while (high > 1 && high ** roundPairs < TWO_16) roundPairs++;
  return { low, high, roundPairs };
}

/**
 * Gives element i of a pseudorandom permutation of 0 … n − 1 that the key fixes, without the others.
 *
 * A Feistel network on a domain of unequal halves, walked along its cycle until it comes back below
 * n: Black and Rogaway, "Ciphers with arbitrary finite domains" (CT-RSA 2002), sections 4 and 5.
 * Where Luby and Rackoff (1988) prove three or four rounds enough for long halves, there are six
 * here, and more for small n. The round function is word 0 of Threefry-2x32 at (half, 3 + round).
 * Throws `ShapeError` unless n is an integer from 1 to 2³² and i one from 0 to n − 1.
 */
export function shuffledIndex(key: Key, n: number, i: number): number {
  checkIndex("shuffledIndex", n, i);
  const domain = shuffleDomain(n);
  let x = feistel(key, domain, i);
  while (x >= n) x = feistel(key, domain, x); // fewer than `low` times: so many numbers are ≥ n
  return x;
}

function feistel(key: Key, { low, high, roundPairs }: ShuffleDomain, x: number): number {
  let l = x % low;
  let h = Math.floor(x / low);
  for (let round = ROUND; round < ROUND + 2 * roundPairs; round += 2) {
    l = (l + roundWord(key, h, round)) % low;
    h = (h + roundWord(key, l, round + 1)) % high;
  }
  return h * low + l;
}

function roundWord(key: Key, half: number, round: number): number {
  threefry2x32(key[0], key[1], half, round, block);
  return block[0];
}

/**
 * Draws a number from 0 to n − 1 for place i, each time from all n: ⌊w · n / 2⁶⁴⌋ of the 64-bit
 * word w at counter (i, 2), high half first, so that no number's probability is off by more than
 * 2⁻⁶⁴ (Lemire, "Fast random integer generation in an interval", 2019, without its rejection).
 * Throws `ShapeError` unless n is an integer from 1 to 2³² and i one from 0 to 2³² − 1.
 */
export function drawnIndex(key: Key, n: number, i: number): number {
  checkIndex("drawnIndex", n, i, 2 ** 32);
  threefry2x32(key[0], key[1], i, DRAW, block);
  return multiplyHigh(block[0], n, multiplyHigh(block[1], n, 0));
}

// ⌊(word · n + carry) / 2³²⌋ with no product above 2⁴⁸: n = p · 2¹⁶ + q.
function multiplyHigh(word: number, n: number, carry: number): number {
  const p = Math.floor(n / TWO_16);
  const q = n % TWO_16;
  return Math.floor((word * p + Math.floor((word * q + carry) / TWO_16)) / TWO_16);
}

function checkIndex(name: string, n: number, i: number, end = n): void {
  const isSize = Number.isInteger(n) && n >= 1 && n <= 2 ** 32;
  if (isSize && Number.isInteger(i) && i >= 0 && i < end) return;
  throw new ShapeError(
    `${name}: place ${i} of ${n}; expected an integer from 0 to ${end === n ? "n" : "2^32"} - 1 ` +
      "for an n from 1 to 2^32",
  );
}
