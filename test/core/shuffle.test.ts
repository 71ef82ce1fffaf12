import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldIn, type Key, keyFromSeed, threefry2x32 } from "../../src/core/random.ts";
import { drawnIndex, shuffleDomain, shuffledIndex } from "../../src/core/shuffle.ts";

const shuffled = (key: Key, n: number) =>
  Uint32Array.from({ length: n }, (_, i) => shuffledIndex(key, n, i));

const chiSquare = (counts: Iterable<number>, expected: number) =>
  [...counts].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);

/** The mean of χ² is its degrees of freedom f, its variance 2f: five deviations either way. */
function expectUniform(counts: readonly number[], expected: number): void {
  const freedom = counts.length - 1;
  const deviation = (chiSquare(counts, expected) - freedom) / Math.sqrt(2 * freedom);
  expect(Math.abs(deviation)).toBeLessThan(5);
}

describe("shuffledIndex", () => {
  test.each([1, 2, 3, 4, 9, 10, 97, 100, 1680, 1681, 60_000, 2 ** 16, 2 ** 20 + 7])(
    "gives each number below %i once",
    (n) => {
      const seen = new Uint8Array(n);
      for (let i = 0; i < n; i++) seen[shuffledIndex([n, 3], n, i)]++;
      expect(seen.every((count) => count === 1)).toBe(true);
    },
  );

  test("has an inverse for every n up to 2^32, so that it is one-to-one", () => {
    const size = fc.oneof(
      fc.integer({ min: 1, max: 2 ** 32 }),
      fc.integer({ min: 2 ** 31 - 2, max: 2 ** 31 + 2 }),
      fc.integer({ min: 2 ** 32 - 2 ** 17, max: 2 ** 32 }),
    );
    const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(size, word, fc.tuple(word, word), (n, place, key) => {
        const i = place % n;
        const y = shuffledIndex(key, n, i);
        expect(y).toBeLessThan(n);
        expect(inverse(key, n, y)).toBe(i);
      }),
      { numRuns: 2000 },
    );
  });

  test("keeps its domain within u32, as small as n allows, with an even half", () => {
    for (const n of [1, 2, 3, 4, 5, 9, 60_000, 65_535 ** 2, 65_535 ** 2 + 1, 2 ** 31, 2 ** 32]) {
      const { low, high, roundPairs } = shuffleDomain(n);
      expect(low % 2).toBe(0);
      expect(low).toBeLessThanOrEqual(2 ** 16);
      expect(high).toBeLessThanOrEqual(low);
      expect(low * high).toBeGreaterThanOrEqual(n);
      expect(low * high).toBeLessThan(n + low);
      expect(high ** roundPairs >= 2 ** 16 || high === 1).toBe(true);
      expect(roundPairs).toBeLessThanOrEqual(16); // the shader's loop
    }
  });

  test.each([
    [3, 6],
    [4, 24],
    [5, 120],
  ])("makes all permutations of %i equally often", (n, count) => {
    const counts = new Map<string, number>();
    const draws = 400 * count;
    for (let seed = 0; seed < draws; seed++) {
      const name = shuffled(keyFromSeed(seed), n).join("");
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect(counts.size).toBe(count);
    expectUniform([...counts.values()], 400);
  });

  test.each([6, 7, 8, 9, 10, 16, 25])(
    "puts each of %i numbers in each place equally often",
    (n) => {
      const counts = new Array<number>(n * n).fill(0);
      const draws = 200 * n;
      for (let seed = 0; seed < draws; seed++) {
        for (const [i, value] of shuffled(keyFromSeed(seed), n).entries()) counts[i * n + value]++;
      }
      // Rows and columns each sum to the number of draws: χ² has (n − 1)² degrees of freedom and is
      // n / (n − 1) times too small for that of a permutation's independent entries.
      const freedom = (n - 1) ** 2;
      const statistic = (chiSquare(counts, 200) * (n - 1)) / n;
      expect(Math.abs(statistic - freedom) / Math.sqrt(2 * freedom)).toBeLessThan(5);
    },
  );

  test.each([9, 49])("makes even and odd permutations of %i equally often", (n) => {
    let odd = 0;
    for (let seed = 0; seed < 2000; seed++) odd += parity(shuffled(keyFromSeed(seed), n));
    expect(Math.abs(odd - 1000)).toBeLessThan(5 * Math.sqrt(500));
  });

  test("has as many fixed points as chance gives, 1 on average and in variance", () => {
    const draws = 2000;
    let sum = 0;
    let squares = 0;
    for (let seed = 0; seed < draws; seed++) {
      const fixed = shuffled(keyFromSeed(seed), 50).filter((value, i) => value === i).length;
      sum += fixed;
      squares += (fixed - 1) ** 2;
    }
    expect(Math.abs(sum / draws - 1)).toBeLessThan(5 / Math.sqrt(draws));
    expect(Math.abs(squares / draws - 1)).toBeLessThan((5 * Math.sqrt(3)) / Math.sqrt(draws));
  });

  test.each([7, 20, 100])("puts neighbours of %i numbers at all distances equally often", (n) => {
    const counts = new Array<number>(n).fill(0);
    const epochs = Math.ceil(60_000 / n);
    for (let seed = 0; seed < epochs; seed++) {
      const order = shuffled(keyFromSeed(seed), n);
      for (let i = 1; i < n; i++) counts[(order[i] - order[i - 1] + n) % n]++;
    }
    expect(counts.shift()).toBe(0);
    expectUniform(counts, epochs);
  });

  test("leaves no correlation between places near each other, nor between place and value", () => {
    const n = 60_000;
    const order = shuffled(keyFromSeed(8), n);
    const mean = (n - 1) / 2;
    const variance = (n * n - 1) / 12;
    for (const lag of [1, 2, 3, 244, 246, 492]) {
      let sum = 0;
      for (let i = lag; i < n; i++) sum += (order[i] - mean) * (order[i - lag] - mean);
      expect(Math.abs(sum / (n * variance))).toBeLessThan(5 / Math.sqrt(n));
    }
    const withPlace = order.reduce((sum, value, i) => sum + (value - mean) * (i - mean), 0);
    expect(Math.abs(withPlace / (n * variance))).toBeLessThan(5 / Math.sqrt(n));
  });

  test("spreads each batch over the whole range", () => {
    const n = 60_000;
    const order = shuffled(keyFromSeed(3), n);
    for (let start = 0; start < n; start += 6000) {
      const counts = new Array<number>(60).fill(0);
      for (const value of order.subarray(start, start + 6000)) counts[Math.floor(value / 1000)]++;
      expectUniform(counts, 100);
    }
  });

  test("differs from key to key", () => {
    const root = keyFromSeed(1);
    const agreements = (a: Key, b: Key) => {
      const [p, q] = [shuffled(a, 1000), shuffled(b, 1000)];
      return p.filter((value, i) => value === q[i]).length;
    };
    for (let epoch = 0; epoch < 20; epoch++) {
      expect(agreements(foldIn(root, epoch), foldIn(root, epoch + 1))).toBeLessThan(9); // 1 expected
      expect(agreements(foldIn(root, epoch), foldIn(keyFromSeed(2), epoch))).toBeLessThan(9);
    }
  });
});

describe("drawnIndex", () => {
  test("is the high part of a 64-bit word times n", () => {
    const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const size = fc.oneof(fc.integer({ min: 1, max: 2 ** 32 }), fc.constant(2 ** 32));
    const out = new Uint32Array(2);
    fc.assert(
      fc.property(size, word, fc.tuple(word, word), (n, i, key) => {
        threefry2x32(key[0], key[1], i, 2, out);
        const [high, low] = [BigInt(out[0]), BigInt(out[1])];
        expect(drawnIndex(key, n, i)).toBe(Number((((high << 32n) | low) * BigInt(n)) >> 64n));
      }),
      { numRuns: 2000 },
    );
  });

  test("draws each number equally often, whatever n", () => {
    for (const n of [3, 10, 97]) {
      const counts = new Array<number>(n).fill(0);
      for (let i = 0; i < 300 * n; i++) counts[drawnIndex([5, n], n, i)]++;
      expectUniform(counts, 300);
    }
    const thirds = [0, 0, 0]; // plain modulo would put half of the draws into the first
    for (let i = 0; i < 30_000; i++) {
      thirds[Math.floor(drawnIndex([1, 1], 3 * 2 ** 30, i) / 2 ** 30)]++;
    }
    expectUniform(thirds, 10_000);
  });
});

test.each<[() => number, string]>([
  ...[
    [1.5, 0],
    [4, -1],
    [4, 0.5],
  ].map(([n, i]): [() => number, string] => [
    () => shuffledIndex([0, 0], n, i),
    `shuffledIndex: place ${i} of ${n}; ` +
      "expected an integer from 0 to n - 1 for an n from 1 to 2^32",
  ]),
  [
    () => shuffledIndex([0, 0], 0, 0),
    "shuffledIndex: place 0 of 0; expected an integer from 0 to n - 1 for an n from 1 to 2^32",
  ],
  [
    () => shuffledIndex([0, 0], 2 ** 32 + 1, 0),
    "shuffledIndex: place 0 of 4294967297; " +
      "expected an integer from 0 to n - 1 for an n from 1 to 2^32",
  ],
  [
    () => shuffledIndex([0, 0], 4, 4),
    "shuffledIndex: place 4 of 4; expected an integer from 0 to n - 1 for an n from 1 to 2^32",
  ],
  [
    () => drawnIndex([0, 0], 4, 0.5),
    "drawnIndex: place 0.5 of 4; expected an integer from 0 to 2^32 - 1 for an n from 1 to 2^32",
  ],
])("rejects %s", (call, message) => {
  expect(call).toThrow(message);
});

/** Where a number comes from: the rounds backwards. */
function inverse(key: Key, n: number, y: number): number {
  const { low, high, roundPairs } = shuffleDomain(n);
  const out = new Uint32Array(2);
  const word = (half: number, round: number) => {
    threefry2x32(key[0], key[1], half, 3 + round, out);
    return out[0];
  };
  const back = (x: number, by: number, size: number) => (x - (by % size) + size) % size;
  let x = y;
  do {
    let [l, h] = [x % low, Math.floor(x / low)];
    for (let round = 2 * roundPairs - 2; round >= 0; round -= 2) {
      h = back(h, word(l, round + 1), high);
      l = back(l, word(h, round), low);
    }
    x = h * low + l;
  } while (x >= n);
  return x;
}

/** 1 for an odd permutation: its size less its number of cycles, modulo 2. */
function parity(order: Uint32Array): number {
  const seen = new Set<number>();
  let swaps = 0;
  for (let start = 0; start < order.length; start++) {
    for (let i = start; !seen.has(i); i = order[i]) {
      seen.add(i);
      if (order[i] !== start) swaps++;
    }
  }
  return swaps % 2;
}
