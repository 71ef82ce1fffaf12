import { expect, test } from "vitest";
import {
  foldIn,
  type Key,
  keyFromSeed,
  normals,
  permutation,
  randomBits,
  threefry2x32,
  uniformFromBits,
} from "../../src/core/random.ts";

// Known answers of threefry2x32 with 20 rounds, from Random123's kat_vectors.
test.each([
  [0, 0, 0, 0, 0x6b200159, 0x99ba4efe],
  [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7],
  [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 0xc4923a9c, 0x483df7a0],
])(
  "threefry2x32 with key (%i, %i) at (%i, %i) gives the published words",
  (k0, k1, c0, c1, x0, x1) => {
    const out = new Uint32Array(4);
    threefry2x32(k0, k1, c0, c1, out, 1);
    expect([...out]).toEqual([0, x0, x1, 0]);
  },
);

test("element i of randomBits is word i & 1 of block (i >> 1, 0)", () => {
  const key: Key = [7, 9];
  const expected = new Uint32Array(8);
  for (let block = 0; block < 4; block++) threefry2x32(7, 9, block, 0, expected, 2 * block);
  for (let offset = 0; offset <= 7; offset++) {
    const bits = randomBits(key, 7 - offset, offset);
    expect([...bits]).toEqual([...expected.subarray(offset, 7)]);
  }
});

test("randomBits reaches the last u32 index", () => {
  const expected = new Uint32Array(2);
  threefry2x32(1, 2, 0x7fffffff, 0, expected);
  expect([...randomBits([1, 2], 2, 2 ** 32 - 2)]).toEqual([...expected]);
});

test("keyFromSeed splits a seed into its low and high word", () => {
  expect(keyFromSeed(0)).toEqual([0, 0]);
  expect(keyFromSeed(0xffffffff)).toEqual([0xffffffff, 0]);
  expect(keyFromSeed(5 * 2 ** 32 + 3)).toEqual([3, 5]);
  expect(keyFromSeed(Number.MAX_SAFE_INTEGER)).toEqual([0xffffffff, 0x1fffff]);
});

test("foldIn gives the block at (data, 1), a key apart from the parent's stream", () => {
  const out = new Uint32Array(2);
  threefry2x32(3, 4, 8, 1, out);
  expect(foldIn([3, 4], 8)).toEqual([...out]);
  const keys = Array.from({ length: 1000 }, (_, i) => foldIn([3, 4], i).join());
  expect(new Set(keys).size).toBe(1000);
});

test("uniformFromBits covers [0, 1) in steps that float32 holds exactly", () => {
  expect(uniformFromBits(0)).toBe(0);
  expect(uniformFromBits(255)).toBe(0);
  expect(uniformFromBits(256)).toBe(2 ** -24);
  expect(uniformFromBits(0xffffffff)).toBe(1 - 2 ** -24);
  expect(Math.fround(uniformFromBits(0xffffffff))).toBe(1 - 2 ** -24);
});

test("uniform numbers have the mean, variance and χ² of the uniform distribution", () => {
  const n = 100_000;
  const u = Float64Array.from(randomBits(keyFromSeed(1), n), uniformFromBits);
  const { mean, variance } = moments(u);
  expect(Math.abs(mean - 1 / 2)).toBeLessThan(4 / Math.sqrt(12 * n));
  expect(Math.abs(variance - 1 / 12)).toBeLessThan(4 / Math.sqrt(180 * n));
  const counts = new Array<number>(100).fill(0);
  for (const value of u) counts[Math.floor(value * 100)]++;
  // χ² with 99 degrees of freedom: 99.99 % of draws lie in [53, 160]
  expect(chiSquare(counts, n / 100)).toBeGreaterThan(53);
  expect(chiSquare(counts, n / 100)).toBeLessThan(160);
});

test("each bit of randomBits is set half of the time", () => {
  const n = 20_000;
  const ones = new Array<number>(32).fill(0);
  for (const word of randomBits(keyFromSeed(2), n)) {
    for (let bit = 0; bit < 32; bit++) ones[bit] += (word >>> bit) & 1;
  }
  for (const count of ones) expect(Math.abs(count - n / 2)).toBeLessThan(2.2 * Math.sqrt(n));
});

test("normals have the wanted mean, deviation, kurtosis and tails", () => {
  const n = 100_000;
  const z = normals(keyFromSeed(3), n, 2, 0.5).map((value) => (value - 2) / 0.5);
  const { mean, variance } = moments(z);
  expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(n));
  expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  const fourth = z.reduce((sum, value) => sum + value ** 4, 0) / n;
  expect(Math.abs(fourth - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
  const outside = z.filter((value) => Math.abs(value) > 1.959964).length / n;
  expect(Math.abs(outside - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / n));
  const pairs = z.reduce((sum, value, i) => (i % 2 === 0 ? sum + value * z[i + 1] : sum), 0);
  expect(Math.abs(pairs)).toBeLessThan(4 * Math.sqrt(n / 2));
});

test("normals follow the Box-Muller formula, at odd counts too", () => {
  const [w0, w1] = randomBits([5, 6], 4).subarray(2);
  const radius = Math.sqrt(-2 * Math.log((w0 + 1) / 2 ** 32));
  const z = normals([5, 6], 3, 1, 2);
  expect(z.length).toBe(3);
  expect(z[2]).toBeCloseTo(1 + 2 * radius * Math.cos((2 * Math.PI * w1) / 2 ** 32), 14);
  const four = normals([5, 6], 4, 1, 2);
  expect([...four.subarray(0, 3)]).toEqual([...z]);
  expect(four[3]).toBeCloseTo(1 + 2 * radius * Math.sin((2 * Math.PI * w1) / 2 ** 32), 14);
  expect([...normals([5, 6], 2, 1, 2)]).toEqual([...z.subarray(0, 2)]);
  expect([...normals([5, 6], 2, 3, 0)]).toEqual([3, 3]);
});

test("a permutation holds every number once and depends on the key alone", () => {
  for (const n of [0, 1, 2, 3, 100, 4097]) {
    const order = permutation(keyFromSeed(n), n);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    expect(permutation(keyFromSeed(n), n)).toEqual(order);
  }
  expect(permutation([1, 0], 100)).not.toEqual(permutation([2, 0], 100));
});

test("a permutation is Durstenfeld's shuffle by the key's stream, less the words past a multiple", () => {
  const n = 30_000;
  const key = keyFromSeed(7);
  const stream = randomBits(key, n + 10);
  let at = 0;
  let rejected = 0;
  const draw = (bound: number) => {
    const end = 2 ** 32 - (2 ** 32 % bound);
    while (stream[at] >= end) {
      at++;
      rejected++;
    }
    return stream[at++] % bound;
  };
  const expected = Uint32Array.from({ length: n }, (_, i) => i);
  for (let last = n - 1; last > 0; last--) {
    const chosen = draw(last + 1);
    [expected[chosen], expected[last]] = [expected[last], expected[chosen]];
  }
  expect(rejected).toBeGreaterThan(0);
  expect(permutation(key, n)).toEqual(expected);
});

test("the 24 permutations of four come up equally often", () => {
  const counts = new Map<string, number>();
  const n = 24_000;
  for (let seed = 0; seed < n; seed++) {
    const name = permutation(keyFromSeed(seed), 4).join("");
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  // χ² with 23 degrees of freedom: 99.99 % of draws lie below 56
  expect(chiSquare([...counts.values()], n / 24)).toBeLessThan(56);
});

test.each<[() => unknown, string]>([
  [() => keyFromSeed(-1), "keyFromSeed: seed -1; expected an integer from 0 to 2^53 - 1"],
  [() => keyFromSeed(0.5), "keyFromSeed: seed 0.5; expected an integer from 0 to 2^53 - 1"],
  [
    () => keyFromSeed(2 ** 53),
    `keyFromSeed: seed ${2 ** 53}; expected an integer from 0 to 2^53 - 1`,
  ],
  [
    () => foldIn([0, 0], 2 ** 32),
    "foldIn: data 4294967296; expected an integer from 0 to 2^32 - 1",
  ],
  [() => normals([0, 0], 1.5), "normals: count 1.5; expected an integer from 0 to 2^32"],
  [
    () => normals([0, 0], 1, 0, -1),
    "normals: mean 0 and std -1; expected finite numbers with std ≥ 0",
  ],
  [
    () => normals([0, 0], 1, NaN, 1),
    "normals: mean NaN and std 1; expected finite numbers with std ≥ 0",
  ],
  [
    () => normals([0, 0], 1, 0, Infinity),
    "normals: mean 0 and std Infinity; expected finite numbers with std ≥ 0",
  ],
  ...[1, [1], [1, 2, 3], [1, -1], [0.5, 1], [1, 2 ** 32]].map((key): [() => unknown, string] => [
    () => foldIn(key as unknown as Key, 0),
    `foldIn: key ${Array.isArray(key) ? "an array" : key}; ` +
      "expected two u32 words, as keyFromSeed(seed) gives them",
  ]),
  [() => permutation([0, 0], -1), "permutation: n -1; expected an integer from 0 to 2^32"],
])("rejects %s", (call, message) => {
  expect(call).toThrow(message);
});

function moments(values: Float64Array): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, variance };
}

function chiSquare(counts: readonly number[], expected: number): number {
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
