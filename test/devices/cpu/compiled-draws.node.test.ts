import { beforeAll, expect, test } from "vitest";
import { BatchSampler } from "../../../src/data/index.ts";
import {
  add,
  batchIndices,
  compile,
  type Device,
  init,
  State,
  tensor,
} from "../../../src/index.ts";

let device: Device;
beforeAll(async () => {
  device = (await init({ device: "cpu", engine: "compiled", isolated: true })).device;
});

const counter = (value = 0) => new State(tensor(value, { dtype: "u32", device }));

// Sizes with and without a walk, fewer than a vector, and so many that no table holds the rounds.
const SIZES: readonly (readonly [size: number, batchSize: number])[] = [
  [1, 1],
  [2, 2],
  [3, 1],
  [5, 5],
  [16, 7],
  [80, 16],
  [97, 13],
  [1681, 100],
  [60_000, 100],
  [20_000_000, 9],
];

test.each(SIZES)(
  "the batches of %d examples are the sampler's, epoch after epoch",
  async (size, batchSize) => {
    const options = { size, batchSize, dropLast: true, shuffle: true };
    const samplers = [1, 2].map((seed) => new BatchSampler({ ...options, seed }));
    const step = counter();
    // Two of them in one group, each with rounds of its own.
    const next = compile(() => {
      const both = samplers.map(({ seed }) => batchIndices(step, { ...options, seed }));
      step.assign(add(step, 1));
      return both;
    });
    const per = Math.floor(size / batchSize);
    const steps = [
      ...Array.from({ length: Math.min(3 * per, 9) }, (_, i) => i),
      per - 1,
      per,
      0,
      7 * per,
      1,
    ];
    for (const at of steps) {
      step.assign(tensor(at, { dtype: "u32", device }));
      for (const [i, own] of (await next()).entries()) {
        expect(await own.data(), `step ${at}`).toEqual(samplers[i].at(at));
      }
    }
  },
);

test("what is kept of one plan is not another's, in the same memory", async () => {
  const step = counter();
  for (const size of [50, 60, 50]) {
    // The key is the same, and only the words are others.
    const options = { size, batchSize: 5, dropLast: true, shuffle: true, seed: 3 };
    const next = compile(() => batchIndices(step, options));
    expect(await (await next()).data()).toEqual(new BatchSampler(options).at(0));
    next.dispose();
  }
});
