import { beforeAll, describe, expect, test } from "vitest";
import { DistortedImages } from "../../examples/embeddings/distorted.ts";
import { HEADS } from "../../examples/embeddings/heads.ts";
import { ONE_SHOT, oneShot } from "../../examples/embeddings/one-shot.ts";
import { PLANE, trainInPlane, warmUp } from "../../examples/embeddings/plane.ts";
import { scatterSvg } from "../../examples/embeddings/scatter.ts";
import { drawTrials, recognise } from "../../examples/embeddings/trials.ts";
import { Subset } from "../../src/data/index.ts";
import { tensor } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";
import { loadMnist } from "../support/mnist.ts";

let data: Awaited<ReturnType<typeof loadMnist>>;

beforeAll(async () => {
  data = await loadMnist(await testDevice());
});

const first = (n: number) => Array.from({ length: n }, (_, i) => i);

test("center loss and every margin give narrower classes than softmax alone", async () => {
  const trainData = new Subset(data.trainData, first(30_000));
  const spreads: Record<string, number> = {};
  const options = { ...PLANE, hidden: 64, seed: 0 };
  using start = await warmUp({ ...data, trainData }, options);
  for (const head of Object.keys(HEADS)) {
    const result = await trainInPlane(head, { ...data, trainData }, start, options);
    spreads[head] = result.angularSpread;
  }
  const { softmax, ...others } = spreads;
  expect(Object.keys(others)).toHaveLength(5);
  for (const [head, spread] of Object.entries(others)) {
    expect(spread, head).toBeGreaterThan(softmax);
  }
}, 120_000);

test("digits seen once are recognised better by embeddings than by pixels", async () => {
  const tried = { ...ONE_SHOT.tried, trials: 300 };
  const options = { ...ONE_SHOT, tried, hidden: 128, epochs: 1, seed: 0 };
  const { pixels, embeddings } = await oneShot(data, options);
  expect(pixels.mean).toBeGreaterThan(0.5);
  expect(embeddings.mean).toBeGreaterThan(pixels.mean + 0.05);
}, 120_000);

describe("trials", () => {
  const labels = [7, 8, 7, 9, 8, 7, 9, 1];
  const options = { digits: [7, 9], queries: 4, trials: 50, seed: 3 };

  test("show one example of each class and ask others of the class", async () => {
    const trials = await drawTrials(labels, options);
    expect(trials).toHaveLength(50);
    for (const { shown, asked } of trials) {
      expect([...shown].map((i) => labels[i])).toEqual([7, 9]);
      expect([...asked].map((i) => labels[i])).toEqual([7, 7, 7, 7, 9, 9, 9, 9]);
      expect([...asked].some((i) => shown.includes(i))).toBe(false);
    }
    expect(new Set(trials.map(({ shown }) => shown.join())).size).toBe(6);
    expect(await drawTrials(labels, options)).toEqual(trials);
  });

  test("are counted right by the nearest example", async () => {
    const trial = { shown: Uint32Array.of(0, 3), asked: Uint32Array.of(2, 5, 2, 5, 6, 6, 6, 6) };
    using vectors = tensor([[0], [0], [1], [4], [0], [3], [5], [0]]); // 5 is nearer to 3 than to 0
    const { mean, standardError } = await recognise(vectors, [trial, trial], options);
    expect(mean).toBe(0.75);
    expect(standardError).toBe(0);
  });
});

describe("distorted images", () => {
  const still = { turn: 0, stretch: 0, slant: 0, shift: 0 };
  const pixels = Uint8Array.from({ length: 2 * 784 }, (_, i) => (i * 37) % 256);
  const draw = async (distortion: typeof still, seed = 0) => {
    const images = new DistortedImages(pixels, Int32Array.of(4, 2), distortion, seed);
    using batch = await images.batch(Uint32Array.of(1, 0));
    expect([...(await batch.labels.data())]).toEqual([2, 4]);
    return [...(await batch.images.data())];
  };

  test("are the images where nothing is to be moved", async () => {
    const expected = [...pixels.slice(784), ...pixels.slice(0, 784)].map((x) => x / 255);
    for (const [i, x] of (await draw(still)).entries()) expect(x).toBeCloseTo(expected[i], 5);
  });

  test("are the same for the same seed, and others for another", async () => {
    const moved = { turn: 0.3, stretch: 0.2, slant: 0.2, shift: 2 };
    expect(await draw(moved, 1)).toEqual(await draw(moved, 1));
    expect(await draw(moved, 1)).not.toEqual(await draw(moved, 2));
  });
});

test("a scatter plot has a dot for each point, at most 2,000 of them, in a small file", () => {
  const count = (svg: string) => svg.match(/M[\d.]+ [\d.]+h0/g)?.length;
  const points = [1, 0, 0, 1, -1, 0, 0, -1, 1, 1];
  const few = scatterSvg({ title: "five", points, labels: [0, 1, 2, 0, 1], classes: 3 });
  expect(few).toContain("five");
  expect(count(few)).toBe(5 + 3); // and the legend's
  const many = Array.from({ length: 20_000 }, (_, i) => Math.sin(i));
  const labels = Array.from({ length: 10_000 }, (_, i) => i % 10);
  const full = scatterSvg({ title: "many", points: many, labels, classes: 10 });
  expect(count(full)).toBeLessThanOrEqual(2010);
  expect(full.length).toBeLessThan(60_000);
});
