import { beforeAll, describe, expect, test } from "vitest";
import { PIXELS } from "../../examples/embeddings/distorted.ts";
import { orient } from "../../examples/embeddings/one-shot.ts";
import { type Characters, ClassBatches } from "../../examples/oneshot/class-batches.ts";
import { embeddingNetwork } from "../../examples/oneshot/network.ts";
import { embed } from "../../examples/oneshot/recognition.ts";
import { trainEmbedding } from "../../examples/oneshot/training.ts";
import { tensor } from "../../src/index.ts";
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

describe("batches of classes", () => {
  const still = { turn: 0, stretch: 0, slant: 0, shift: 0 };
  const options = { classes: 5, examples: 3, ways: [0, 3, 5, 6], distortion: still, seed: 2 };

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
    steps: 24,
    classes: 6,
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
