import { beforeAll, expect, test } from "vitest";
import { foldIn, keyFromSeed } from "../../src/core/random.ts";
import { shuffledIndex } from "../../src/core/shuffle.ts";
import {
  BatchSampler,
  type BatchSamplerOptions,
  DataLoader,
  DeviceDataset,
} from "../../src/data/index.ts";
import { add, assignAll, batchIndices, type Device, full, State, tensor } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const counter = (step: number) => tensor(Uint32Array.of(step), { shape: [] });

const LAST = 2 ** 32 - 1;

// The device is the CPU in Node and WebGPU in the browser, so that all three agree bit for bit.
test.each<[string, BatchSamplerOptions]>([
  ["one example", { size: 1, batchSize: 1 }],
  ["two", { size: 2, batchSize: 1 }],
  ["three", { size: 3, batchSize: 3, seed: 5 }],
  ["many round pairs", { size: 8, batchSize: 2, seed: 6 }],
  ["much walking", { size: 5, batchSize: 5, seed: 7 }],
  ["batches over several workgroups", { size: 1000, batchSize: 250, seed: 8 }],
  ["a data set like MNIST", { size: 60_000, batchSize: 100, seed: 2 ** 40 + 3 }],
  ["a prime with a batch left out", { size: 2 ** 20 + 7, batchSize: 129, dropLast: true }],
  ["2^31 examples", { size: 2 ** 31, batchSize: 64, seed: 9 }],
  ["2^31 + 11 examples", { size: 2 ** 31 + 11, batchSize: 64, dropLast: true, seed: 10 }],
  ["a batch size above 2^16", { size: 3 * 2 ** 30, batchSize: 2 ** 16 + 1, dropLast: true }],
  ["as many as there can be", { size: LAST, batchSize: 255, seed: 11 }],
  ["one step for each", { size: LAST, batchSize: 1, seed: 11 }],
  ["no shuffling", { size: 60, batchSize: 20, shuffle: false }],
  ["no shuffling of many", { size: LAST, batchSize: 3, shuffle: false }],
  ["replacement", { size: 60, batchSize: 20, replacement: true, seed: 12 }],
  ["replacement of a few", { size: 3, batchSize: 1, replacement: true, seed: 13 }],
  ["replacement of many", { size: LAST, batchSize: 51, replacement: true, seed: 14 }],
])("device and host give the same batches: %s", async (_, options) => {
  const sampler = new BatchSampler(options);
  const { stepsPerEpoch } = sampler;
  const first = [0, 1, stepsPerEpoch - 1, stepsPerEpoch, 2 * stepsPerEpoch + 1];
  const steps = [...first, 2 ** 31, LAST - 1, LAST].filter((step) => step <= LAST);
  for (const step of new Set(steps)) {
    const expected = sampler.at(step);
    using y = batchIndices(counter(step), sampler);
    expect(y.dtype).toBe("u32");
    expect(await y.data()).toEqual(expected);
  }
});

test("a batch of a step is that batch of its epoch", () => {
  const sampler = new BatchSampler({ size: 50, batchSize: 8, seed: 4 });
  const epoch = [...sampler.epoch(3)];
  expect(epoch.map((_, i) => sampler.at(3 * 7 + i))).toEqual(epoch);
  const key = foldIn(keyFromSeed(4), 3);
  expect([...sampler.at(22)]).toEqual(
    [8, 9, 10, 11, 12, 13, 14, 15].map((i) => shuffledIndex(key, 50, i)),
  );
  expect(sampler.at(27).length).toBe(2);
  const message = "BatchSampler: step -1; expected an integer from 0 to 2^32 - 1";
  expect(() => sampler.at(-1)).toThrow(message);
});

test("a counter in a state walks through the epochs without any upload", async () => {
  const sampler = new BatchSampler({ size: 12, batchSize: 4, seed: 21 });
  using step = new State(full([], 0, { dtype: "u32" }));
  const run = async () => {
    using indices = batchIndices(step, sampler);
    assignAll([[step, add(step, 1)]], [indices]);
    return [...(await indices.data())];
  };
  const seen = [await run()];
  const before = device.counters.now;
  for (let i = 1; i < 7; i++) seen.push(await run());
  expect(device.counters.since(before).writes).toBe(0);
  const epochs = [0, 1].flatMap((epoch) => [...sampler.epoch(epoch)]);
  expect(seen).toEqual([...epochs, sampler.at(6)].map((batch) => [...batch]));
});

test("the loader on the host and the data on the device give the same batches", async () => {
  const pixels = Uint8Array.from({ length: 10 * 4 }, (_, i) => i * 6);
  const labels = Uint8Array.from({ length: 10 }, (_, i) => i);
  using dataset = new DeviceDataset(tensor(pixels, { shape: [10, 4] }), tensor(labels));
  for (const sampling of [{}, { shuffle: false }, { replacement: true }]) {
    const loader = new DataLoader({ dataset, batchSize: 3, dropLast: true, seed: 2, ...sampling });
    let step = 0;
    for (const epoch of [0, 1]) {
      for await (using batch of loader.epoch(epoch)) {
        using same = dataset.batchAt(counter(step++), loader.sampler);
        expect(await same.images.data()).toEqual(await batch.images.data());
        expect(await same.labels.data()).toEqual(await batch.labels.data());
      }
    }
    expect(step).toBe(6);
  }
});

test("a sampler that does not fit the data is rejected", () => {
  using dataset = new DeviceDataset(
    tensor(new Uint8Array(8), { shape: [4, 2] }),
    tensor(new Uint8Array(4)),
  );
  const other = new BatchSampler({ size: 5, batchSize: 1 });
  expect(() => dataset.batchAt(counter(0), other)).toThrow(
    "DeviceDataset: a sampler of 5 examples for 4; expected the same size",
  );
  const ragged = new BatchSampler({ size: 4, batchSize: 3 });
  expect(() => dataset.batchAt(counter(0), ragged)).toThrow(
    "batchIndices: batchSize 3 leaves 1 of 4 examples over; " +
      "expected batches of one size. Set dropLast: true",
  );
});
