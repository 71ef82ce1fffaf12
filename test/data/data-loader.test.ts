import { beforeAll, expect, test } from "vitest";
import {
  type Batch,
  DataLoader,
  DeviceDataset,
  mnist,
  normalizeImages,
  writeIdx,
} from "../../src/data/index.ts";
import { type Device, evaluate, tensor } from "../../src/index.ts";
import { expectClose } from "../support/close.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const SIZE = 7;
const PIXELS = Uint8Array.from({ length: SIZE * 4 }, (_, i) => (i * 37) % 256);
const LABELS = Uint8Array.from({ length: SIZE }, (_, i) => i % 3);

function dataset(): DeviceDataset {
  return new DeviceDataset(tensor(PIXELS, { shape: [SIZE, 4] }), tensor(LABELS));
}

test("a batch holds the rows asked for, scaled to [0, 1]", async () => {
  using data = dataset();
  using batch = data.batch(Uint32Array.of(5, 0, 5));
  expect(batch.size).toBe(3);
  expect(batch.labels.dtype).toBe("i32");
  expect(await batch.labels.toArray()).toEqual([2, 0, 2]);
  const rows = [5, 0, 5].flatMap((row) => [...PIXELS.slice(row * 4, row * 4 + 4)]);
  expectClose(
    await batch.images.data(),
    rows.map((pixel) => pixel / 255),
    6,
  );
});

test("an epoch holds every example once, in an order fixed by seed and epoch", async () => {
  using data = new DeviceDataset(
    tensor(
      Uint8Array.from({ length: SIZE }, (_, i) => i),
      { shape: [SIZE, 1] },
    ),
    tensor(LABELS),
    { std: 1 / 255 },
  );
  const collect = async (epoch: number, options = {}) => {
    const loader = new DataLoader({ dataset: data, batchSize: 3, seed: 5, ...options });
    const rows: number[][] = [];
    for await (const batch of loader.epoch(epoch)) {
      rows.push([...(await batch.images.data())].map(Math.round));
      batch.dispose();
    }
    return rows;
  };
  const first = await collect(0);
  expect(first.map((rows) => rows.length)).toEqual([3, 3, 1]);
  expect(first.flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(await collect(0)).toEqual(first);
  expect(await collect(0, { prefetch: 2 })).toEqual(first);
  expect(await collect(1)).not.toEqual(first);
  expect(await collect(0, { shuffle: false, dropLast: true })).toEqual([
    [0, 1, 2],
    [3, 4, 5],
  ]);
});

test("leaving an epoch early frees what was fetched ahead", async () => {
  using data = dataset();
  evaluate(data.images, data.labels);
  const loader = new DataLoader({ dataset: data, batchSize: 2, prefetch: 2 });
  expect(loader.stepsPerEpoch).toBe(4);
  const before = held(device);
  const fetched: Batch[] = [];
  const batch = data.batch.bind(data);
  data.batch = (indices) => {
    const made = batch(indices);
    evaluate(made.images, made.labels);
    fetched.push(made);
    return made;
  };
  for await (const one of loader.epoch(0)) {
    one.dispose();
    break;
  }
  expect(fetched.length).toBeGreaterThan(1);
  expect(fetched.every(({ images }) => images.disposed)).toBe(true);
  expect(held(device)).toBe(before);
});

test("mnist reads the two files", async () => {
  const images = writeIdx({ dtype: "u8", shape: [SIZE, 2, 2], data: PIXELS });
  const labels = writeIdx({ dtype: "u8", shape: [SIZE], data: LABELS });
  using data = mnist(images, labels);
  expect(data.size).toBe(SIZE);
  expect(data.images.shape).toEqual([SIZE, 4]);
  expect(await data.labels.data()).toEqual(LABELS);
  expect(() => mnist(labels, labels)).toThrow(
    "mnist: images u8 [7] with labels u8 [7]; expected u8 [n, rows, columns] and u8 [n]",
  );
});

test("normalizeImages subtracts the mean and divides by the deviation", async () => {
  using y = normalizeImages(tensor(Uint8Array.of(0, 51, 255)), { mean: 0.2, std: 0.4 });
  expectClose(await y.data(), [-0.5, 0, 2], 6);
  expect(() => normalizeImages(y, { std: 0 })).toThrow("normalizeImages: mean 0, std 0");
});

test("bad data sets and options are rejected", () => {
  const images = tensor(PIXELS, { shape: [SIZE, 4] });
  expect(() => new DeviceDataset(tensor([[1]]), tensor(LABELS))).toThrow("images have dtype f32");
  expect(() => new DeviceDataset(images, tensor([1, 2]))).toThrow("labels have dtype f32");
  expect(() => new DeviceDataset(images, tensor(Uint8Array.of(1)))).toThrow(
    "DeviceDataset: images [7, 4] with labels [1]; expected [n, …] and [n]",
  );
  expect(() => new DataLoader({ dataset: dataset(), batchSize: 2, prefetch: -1 })).toThrow(
    "DataLoader: prefetch -1; expected an integer from 0",
  );
});
