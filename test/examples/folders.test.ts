import { beforeAll, expect, test } from "vitest";
import { drawHead, headKey, KINDS } from "../../examples/folders/draw.ts";
import { chances, divide, trainOnFolders } from "../../examples/folders/training.ts";
import { DeviceDataset } from "../../src/data/index.ts";
import { keyFromSeed, permute, tensor } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(async () => {
  await testDevice();
});

const SIZE = 16;
const COUNT = 24;

/** Drawn pictures as a data set, and their labels. */
async function drawn() {
  const key = keyFromSeed(3);
  const pixels = new Uint8Array(2 * COUNT * 3 * SIZE * SIZE);
  const labels = new Uint8Array(2 * COUNT);
  for (let i = 0; i < labels.length; i++) {
    labels[i] = i % 2;
    const kind = KINDS[labels[i]];
    pixels.set(await drawHead(kind, headKey(key, kind, i), SIZE), i * 3 * SIZE * SIZE);
  }
  using rows = tensor(pixels, { shape: [labels.length, SIZE, SIZE, 3] });
  using planes = permute(rows, [0, 3, 1, 2]);
  const images = tensor(await planes.data(), { shape: planes.shape, dtype: "u8" });
  return { data: new DeviceDataset(images, tensor(labels), { mean: 0.5, std: 0.25 }), labels };
}

test("both networks fit a few drawn pictures, and tell chances as sure as they are", async () => {
  const { data, labels } = await drawn();
  const parts = divide(data, labels, 1);
  expect([parts.train.size, parts.test.size]).toEqual([38, 10]);
  const settings = { epochs: 8, batchSize: 19, learningRate: 0.01, seed: 0 };
  for (const kind of ["dense", "convolutional"] as const) {
    const told: number[] = [];
    const { model, history } = await trainOnFolders(
      kind,
      parts,
      { size: SIZE, settings },
      { onEpoch: ({ epoch }) => told.push(epoch) },
    );
    expect(told).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(history[7].loss).toBeLessThan(history[0].loss / 2);
    const found = await chances(model, parts.train, 15);
    const right = [...parts.train.indices].filter((k, i) => found[i] > 0.5 === (labels[k] === 1));
    expect(right.length / 38).toBeGreaterThan(0.85);
    model.dispose();
  }
  data.dispose();
}, 120_000);

test("a picture is its seed's and number's, and has the colours of bytes", async () => {
  const key = keyFromSeed(1);
  const draw = (kind: "cats" | "dogs", number: number) =>
    drawHead(kind, headKey(key, kind, number), SIZE);
  const [one, again, next, other] = await Promise.all([
    draw("cats", 0),
    draw("cats", 0),
    draw("cats", 1),
    draw("dogs", 0),
  ]);
  expect(one).toEqual(again);
  expect(one).not.toEqual(next);
  expect(one).not.toEqual(other);
  expect(new Set(one).size).toBeGreaterThan(30);
});
