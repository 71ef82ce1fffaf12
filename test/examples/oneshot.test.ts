import { beforeAll, describe, expect, test } from "vitest";
import { Draws } from "../../examples/cartpole/draws.ts";
import { orient, PIXELS, SIDE } from "../../examples/embeddings/distorted.ts";
import { type Characters, ClassBatches } from "../../examples/oneshot/class-batches.ts";
import { deslantAll } from "../../examples/oneshot/deslant.ts";
import { embeddingNetwork } from "../../examples/oneshot/network.ts";
import { embed } from "../../examples/oneshot/recognition.ts";
import { inventCharacter, writeCharacter } from "../../examples/oneshot/strokes.ts";
import { trainEmbedding } from "../../examples/oneshot/training.ts";
import { keyFromSeed, tensor } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(async () => {
  await testDevice();
});

/** Eight characters of five images each: bars at places of their own. */
function bars(): Characters {
  const labels = Int32Array.from({ length: 40 }, (_, i) => i % 8);
  const pixels = new Uint8Array(labels.length * PIXELS);
  for (const [i, label] of labels.entries()) {
    for (let k = 0; k < 12; k++) {
      const [x, y] = label < 4 ? [5 + 5 * label, 6 + k] : [4 + k, 4 + 5 * (label - 4)];
      pixels.fill(255, i * PIXELS + y * 28 + x, i * PIXELS + y * 28 + x + 2);
    }
  }
  return { pixels, labels, classes: 8 };
}

/** The middle of an image's ink, and the covariance of x and y there. */
function moments(image: ArrayLike<number>) {
  const sum = (f: (x: number, y: number) => number) =>
    Array.from(image).reduce((sum, ink, i) => sum + ink * f(i % SIDE, Math.floor(i / SIDE)), 0);
  const ink = sum(() => 1);
  const [x, y] = [sum((x) => x) / ink, sum((_, y) => y) / ink];
  return { x, y, xy: sum((u, v) => (u - x) * (v - y)) / ink };
}

describe("setting upright", () => {
  const bar = (slope: number) => {
    const image = new Uint8Array(PIXELS);
    for (let y = 4; y < 22; y++) {
      const x = 15 + slope * (y - 12);
      const left = Math.floor(x);
      image[y * SIDE + left] = Math.round(255 * (1 - x + left));
      image[y * SIDE + left + 1] = Math.round(255 * (x - left));
    }
    return image;
  };

  test("makes a slanted bar upright, in the middle", () => {
    const upright = deslantAll(joinedOf(bar(0.5), bar(-0.25), bar(0)));
    for (const i of [0, 1, 2]) {
      const { x, y, xy } = moments(upright.subarray(i * PIXELS, (i + 1) * PIXELS));
      expect(x).toBeCloseTo(13.5, 1);
      expect(y).toBeCloseTo(13.5, 1);
      expect(xy).toBeCloseTo(0, 1);
    }
    // Rows 5 to 22 hold the ink of 18 pixels, most of it in the two middle columns.
    const middle = (i: number) =>
      Array.from({ length: 18 }, (_, k) => i * PIXELS + (k + 5) * SIDE + 13).reduce(
        (sum, at) => sum + upright[at] + upright[at + 1],
        0,
      );
    for (const i of [0, 1, 2]) expect(middle(i)).toBeGreaterThan(0.9 * 18 * 255);
  });

  test("leaves an empty image empty, and a row's slant alone", () => {
    const row = new Uint8Array(PIXELS);
    row.fill(255, 5 * SIDE + 4, 5 * SIDE + 14);
    const upright = deslantAll(joinedOf(new Uint8Array(PIXELS), row));
    expect(upright.subarray(0, PIXELS).every((x) => x === 0)).toBe(true);
    expect(moments(upright.subarray(PIXELS))).toMatchObject({ x: 13.5, y: 13.5, xy: 0 });
  });
});

describe("invented characters", () => {
  const written = async (seed: number, times: number) => {
    const draws = new Draws(keyFromSeed(seed));
    const character = await inventCharacter(draws);
    const images: Uint8Array[] = [];
    while (images.length < times) images.push(await writeCharacter(character, draws));
    return images;
  };

  test("fill a box of 20 pixels and stay within the image", async () => {
    for (let seed = 0; seed < 40; seed++) {
      for (const image of await written(seed, 2)) {
        const places = [...image.keys()].filter((i) => image[i] > 0);
        const range = (of: (i: number) => number) =>
          Math.max(...places.map(of)) - Math.min(...places.map(of)) + 1;
        const side = Math.max(
          range((i) => i % SIDE),
          range((i) => Math.floor(i / SIDE)),
        );
        expect(side).toBeGreaterThanOrEqual(19);
        expect(side).toBeLessThanOrEqual(22);
        const edge = places.filter(
          (i) => [0, SIDE - 1].includes(i % SIDE) || i < SIDE || i >= PIXELS - SIDE,
        );
        expect(edge).toEqual([]);
      }
    }
  });

  test("are more like themselves than like others", async () => {
    const all = await Promise.all(Array.from({ length: 30 }, (_, seed) => written(seed, 4)));
    const distance = (a: Uint8Array, b: Uint8Array) =>
      Math.sqrt(a.reduce((sum, x, i) => sum + ((x - b[i]) / 255) ** 2, 0));
    let right = 0;
    for (const [k, [, ...asked]] of all.entries()) {
      for (const image of asked) {
        const far = all.map(([shown]) => distance(image, shown));
        if (far.indexOf(Math.min(...far)) === k) right++;
      }
    }
    expect(right / 90).toBeGreaterThan(0.5); // by chance 1 / 30
    expect(await written(3, 4)).toEqual(all[3]);
  });
});

function joinedOf(...images: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(images.length * PIXELS);
  for (const [i, image] of images.entries()) all.set(image, i * PIXELS);
  return all;
}

describe("batches of classes", () => {
  const still = { turn: 0, stretch: 0, slant: 0, shift: 0 };
  const options = {
    classes: 5,
    invented: 0,
    examples: 3,
    ways: [0, 3, 5, 6],
    upright: false,
    distortion: still,
    seed: 2,
  };

  test("hold as many images of each class, turned as the class says", async () => {
    const characters = bars();
    const batches = new ClassBatches(characters, options);
    for (const step of [0, 1, 2]) {
      using batch = await batches.next(step);
      const labels = [...(await batch.labels.data())];
      expect(new Set(labels).size).toBe(5);
      for (const [i, label] of labels.entries()) expect(label).toBe(labels[i - (i % 3)]);
      const images = await batch.images.data();
      for (const [i, label] of labels.entries()) {
        expect(label).toBeLessThan(32);
        const source = characters.pixels.subarray((label % 8) * PIXELS, ((label % 8) + 1) * PIXELS);
        const turned = new Uint8Array(PIXELS);
        orient(source, options.ways[Math.floor(label / 8)], turned);
        const shown = images.slice(i * PIXELS, (i + 1) * PIXELS);
        expect(Array.from(shown, (x) => Math.round(255 * x))).toEqual([...turned]);
      }
    }
  });

  test("hold invented characters too, of which each image differs", async () => {
    const batchesOf = (upright: boolean) =>
      new ClassBatches(bars(), { ...options, invented: 3, upright });
    const [batches, slanted] = [batchesOf(true), batchesOf(false)];
    const slants = [0, 0];
    for (const step of [0, 1]) {
      using batch = await batches.next(step);
      using same = await slanted.next(step);
      const labels = [...(await batch.labels.data())];
      for (const [i, label] of labels.entries()) expect(label).toBe(labels[i - (i % 3)]);
      expect(new Set(labels).size).toBe(5);
      expect(labels.filter((label) => label >= 32)).toEqual([34, 34, 34, 35, 35, 35, 36, 36, 36]);
      for (const [k, { images }] of [batch, same].entries()) {
        const values = await images.data();
        const shown = labels.map((_, i) => values.slice(i * PIXELS, (i + 1) * PIXELS));
        for (let i = 6; i < 15; i++) {
          for (let j = 6; j < i; j++) expect(shown[i]).not.toEqual(shown[j]);
          slants[k] += Math.abs(moments(shown[i]).xy);
        }
      }
    }
    // Those that lie rather than stand are set upright only in part.
    expect(slants[0]).toBeLessThan(slants[1] / 2);
  });

  test("depend on the seed and on the step", async () => {
    const labelsOf = async (seed: number, steps: number) => {
      const batches = new ClassBatches(bars(), { ...options, seed });
      const all: number[][] = [];
      for (let step = 0; step < steps; step++) {
        using batch = await batches.next(step);
        all.push([...(await batch.labels.data())]);
      }
      return all;
    };
    const [first, second] = await labelsOf(1, 2);
    expect(first).not.toEqual(second);
    expect(await labelsOf(1, 2)).toEqual([first, second]);
    expect(await labelsOf(4, 1)).not.toEqual([first]);
  });
});

test("images are embedded in parts as they are at once, as vectors of unit length", async () => {
  const model = embeddingNetwork([2, 3], 1);
  model.eval();
  using images = tensor(
    Float32Array.from({ length: 503 * PIXELS }, (_, i) => ((i * 7919) % 101) / 101),
    { shape: [503, PIXELS] },
  );
  using parts = await embed(model, images);
  using whole = model.call(images);
  expect(parts.shape).toEqual([503, 3 * 49]);
  const [a, b] = [await parts.data(), await whole.data()];
  for (let i = 0; i < a.length; i += 997) expect(a[i]).toBeCloseTo(b[i], 5);
  const last = Array.from(a.slice(-3 * 49));
  expect(last.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 4);
  model.dispose();
}, 60_000);

test("some steps of triplets lower the loss", async () => {
  const losses: number[] = [];
  const settings = {
    set: "omniglot" as const,
    steps: 24,
    classes: 6,
    invented: 0,
    examples: 3,
    margin: 0.2,
    learningRate: 0.003,
    seed: 0,
  };
  const onProgress = ({ loss }: { loss: number }) => losses.push(loss);
  const { model, step } = await trainEmbedding(bars(), { ...settings, every: 8 }, { onProgress });
  expect(step).toBe(24);
  expect(losses).toHaveLength(3);
  expect(losses[2]).toBeLessThan(losses[0] / 2);
  model.dispose();
}, 120_000);
