import fc from "fast-check";
import { expect, test } from "vitest";
import { GradusError, ShapeError } from "../../src/core/errors.ts";
import { foldIn, keyFromSeed } from "../../src/core/random.ts";
import { shuffledIndex } from "../../src/core/shuffle.ts";
import { BatchSampler, type BatchSamplerOptions } from "../../src/data/sampler.ts";

const indices = (sampler: BatchSampler, epoch: number) =>
  [...sampler.epoch(epoch)].flatMap((batch) => [...batch]);

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

const options = fc.record({
  size: fc.integer({ min: 1, max: 200 }),
  batchSize: fc.integer({ min: 1, max: 60 }),
  shuffle: fc.boolean(),
  seed: fc.maxSafeNat(),
});

test("without replacement an epoch holds each example once, in batches of full size", () => {
  fc.assert(
    fc.property(options, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (given, epoch) => {
      const sampler = new BatchSampler(given);
      const batches = [...sampler.epoch(epoch)];
      const { size, batchSize } = given;
      expect(batches.length).toBe(sampler.stepsPerEpoch);
      for (const batch of batches.slice(0, -1)) expect(batch.length).toBe(batchSize);
      expect(batches.at(-1)?.length).toBe(size % batchSize || batchSize);
      const all = batches.flatMap((batch) => [...batch]);
      expect(all.sort((a, b) => a - b)).toEqual(range(size));
    }),
    { numRuns: 100 },
  );
});

test("dropLast leaves out the partial batch and nothing else", () => {
  fc.assert(
    fc.property(options, (given) => {
      fc.pre(given.batchSize <= given.size);
      const kept = [...new BatchSampler(given).epoch(3)];
      const sampler = new BatchSampler({ ...given, dropLast: true });
      expect(sampler.stepsPerEpoch).toBe(Math.floor(given.size / given.batchSize));
      expect([...sampler.epoch(3)]).toEqual(kept.slice(0, sampler.stepsPerEpoch));
    }),
    { numRuns: 50 },
  );
});

test("epochs differ, and each is the same whenever it is asked for", () => {
  const sampler = new BatchSampler({ size: 50, batchSize: 8, seed: 4 });
  const late = indices(sampler, 7);
  const early = indices(sampler, 0);
  expect(late).not.toEqual(early);
  expect(indices(new BatchSampler({ size: 50, batchSize: 50, seed: 4 }), 7)).toEqual(late);
  expect(indices(new BatchSampler({ size: 50, batchSize: 8, seed: 5 }), 7)).not.toEqual(late);
  const key = foldIn(keyFromSeed(4), 7);
  expect(late).toEqual(range(50).map((i) => shuffledIndex(key, 50, i)));
  const again = sampler.epoch(7);
  expect([...again]).toEqual([...again]);
});

test("without shuffling the order is 0, 1, 2, …", () => {
  const sampler = new BatchSampler({ size: 5, batchSize: 2, shuffle: false });
  expect([...sampler.epoch(9)]).toEqual([
    Uint32Array.of(0, 1),
    Uint32Array.of(2, 3),
    Uint32Array.of(4),
  ]);
});

test("with replacement draws are uniform, and repeat within an epoch", () => {
  const sampler = new BatchSampler({ size: 100, batchSize: 30, replacement: true, seed: 6 });
  const counts = new Array<number>(100).fill(0);
  for (let epoch = 0; epoch < 200; epoch++) {
    const batches = [...sampler.epoch(epoch)];
    expect(batches.map((batch) => batch.length)).toEqual([30, 30, 30, 10]);
    for (const batch of batches) for (const index of batch) counts[index]++;
  }
  // χ² with 99 degrees of freedom: 99.99 % of draws lie in [53, 160]
  const chiSquare = counts.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
  expect(chiSquare).toBeGreaterThan(53);
  expect(chiSquare).toBeLessThan(160);
  expect(new Set(indices(sampler, 0)).size).toBeLessThan(80); // 63 expected
  expect(indices(sampler, 0)).not.toEqual(indices(sampler, 1));
});

test("a batch may be changed without changing the next", () => {
  const epoch = new BatchSampler({ size: 4, batchSize: 2, shuffle: false }).epoch(0);
  const seen: number[] = [];
  for (const batch of epoch) {
    seen.push(...batch);
    new Uint32Array(batch.buffer).fill(9);
  }
  expect(seen).toEqual([0, 1, 2, 3]);
});

const rejected: [BatchSamplerOptions, typeof GradusError, string][] = [
  [
    { size: 0, batchSize: 1 },
    ShapeError,
    "BatchSampler: size 0; expected an integer from 1 to 2^32",
  ],
  [
    { size: 3, batchSize: 1.5 },
    ShapeError,
    "BatchSampler: batchSize 1.5; expected an integer from 1 to 2^32",
  ],
  [
    { size: 3, batchSize: 4, dropLast: true },
    ShapeError,
    "BatchSampler: batchSize 4 with dropLast leaves no batch of 3 examples; " +
      "expected a batchSize ≤ 3",
  ],
  [
    { size: 3, batchSize: 1, shuffle: false, replacement: true },
    GradusError,
    "BatchSampler: replacement with shuffle: false; expected random order for replacement",
  ],
  [
    { size: 3, batchSize: 1, seed: -2 },
    GradusError,
    "BatchSampler: seed -2; expected an integer from 0 to 2^53 - 1",
  ],
];

test.each(rejected)("rejects %o", (given, type, message) => {
  const make = () => new BatchSampler(given);
  expect(make).toThrow(type);
  expect(make).toThrow(new type(message));
});

test("rejects an epoch that is no u32 at the call", () => {
  const sampler = new BatchSampler({ size: 1, batchSize: 1 });
  const message = "foldIn: data -1; expected an integer from 0 to 2^32 - 1";
  expect(() => sampler.epoch(-1)).toThrow(new GradusError(message));
});
