import { decode } from "fast-png";
import { beforeAll, expect, test } from "vitest";
import { asSeen, Discriminator, Generator } from "../../examples/gan/network.ts";
import { asText, grid, makeSamples } from "../../examples/gan/samples.ts";
import { discriminatorLoss, Gan, generatorLoss, trainGan } from "../../examples/gan/training.ts";
import { DeviceDataset } from "../../src/data/index.ts";
import { randomNormal, randomUniform, type Tensor, tensor } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

const SIZES = { latent: 5, channels: 3, seed: 1 };

beforeAll(async () => {
  await testDevice();
});

/** Labelled images of noise: class k is brighter than class k − 1. */
function noise(size: number): DeviceDataset {
  const bytes = Uint8Array.from({ length: size * 784 }, (_, i) => {
    const label = Math.floor(i / 784) % 10;
    return (i * 7919) % (60 + 19 * label);
  });
  const labels = Uint8Array.from({ length: size }, (_, i) => i % 10);
  return new DeviceDataset(tensor(bytes, { shape: [size, 784] }), tensor(labels));
}

test("the networks make and judge images of 28 × 28", async () => {
  for (const classes of [false, true]) {
    const [generator, discriminator] = [
      new Generator({ ...SIZES, classes }),
      new Discriminator({ ...SIZES, classes }),
    ];
    using latent = randomNormal([4, 5], { seed: 2 });
    using wanted = tensor([1, 2, 3, 4], { dtype: "i32" });
    using images = generator.call(latent, wanted);
    expect(images.shape).toEqual([4, 1, 28, 28]);
    expect(Math.max(...(await images.data()))).toBeLessThanOrEqual(1);
    const { real, classes: logits } = discriminator.call(images);
    expect([real.shape, logits.shape]).toEqual([[4], [4, 10]]);
    // The digit matters where it is told, and only there.
    using others = tensor([5, 6, 7, 8], { dtype: "i32" });
    const [a, b] = [await images.data(), await generator.call(latent, others).data()];
    expect(a.every((x: number, i: number) => x === b[i])).toBe(!classes);
    for (const held of [generator, discriminator]) held.dispose();
  }
});

test("the losses are those of the formulas", async () => {
  const softplus = (z: number) => Math.log1p(Math.exp(z));
  const mean = (numbers: number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const crossEntropy = (rows: number[][], labels: number[]) =>
    mean(rows.map((row, i) => Math.log(row.reduce((s, z) => s + Math.exp(z), 0)) - row[labels[i]]));
  for (const classes of [false, true]) {
    const gan = new Gan({ ...SIZES, classes });
    const batch = {
      images: randomUniform([3, 784], { seed: 3 }),
      labels: tensor([7, 0, 9], { dtype: "i32" }),
      latent: randomNormal([3, 5], { seed: 4 }),
      wanted: tensor([1, 5, 5], { dtype: "i32" }),
    };
    const logits = async (images: Tensor) => {
      const { real, classes } = gan.discriminator.call(images);
      return [await real.toArray(), await classes.toArray()] as [number[], number[][]];
    };
    const [ofReal, realClasses] = await logits(asSeen(batch.images));
    const [ofMade, madeClasses] = await logits(gan.call(batch.latent, batch.wanted));
    const told = (of: "both" | "made") => {
      const made = crossEntropy(madeClasses, [1, 5, 5]);
      return classes ? made + (of === "both" ? crossEntropy(realClasses, [7, 0, 9]) : 0) : 0;
    };
    // −log σ(z) = softplus(−z) and −log (1 − σ(z)) = softplus(z)
    const judged = mean(ofReal.map((z) => softplus(-z))) + mean(ofMade.map(softplus));
    expect(await discriminatorLoss(gan, batch).item()).toBeCloseTo(judged + told("both"), 4);
    const made = mean(ofMade.map((z) => softplus(-z)));
    expect(await generatorLoss(gan, batch).item()).toBeCloseTo(made + told("made"), 4);
    gan.dispose();
  }
});

test("some steps change both networks in turn, and keep their losses finite", async () => {
  const data = noise(40);
  const reports: number[][] = [];
  const onProgress = ({ step, discriminatorLoss, generatorLoss }: Record<string, number>) =>
    reports.push([step, discriminatorLoss, generatorLoss]);
  const settings = { ...SIZES, classes: true, steps: 4, batchSize: 6, learningRate: 0.01 };
  const { gan, step } = await trainGan(data, settings, {
    onProgress: (progress) => onProgress({ ...progress }),
  });
  expect(step).toBe(4);
  expect(reports.map(([step]) => step)).toEqual([4]);
  expect(reports[0].every((x) => Number.isFinite(x) && x > 0)).toBe(true);
  const start = new Gan({ ...SIZES, classes: true });
  for (const [name, parameter] of gan.namedParameters()) {
    const before = new Map(start.namedParameters()).get(name);
    expect([...(await parameter.data())], name).not.toEqual([...((await before?.data()) ?? [])]);
  }
  for (const held of [gan, start, data]) held.dispose();
}, 120_000);

test("samples are the seed's, of each digit as many, and go into a grid and a text", async () => {
  const gan = new Gan({ ...SIZES, classes: true });
  gan.eval();
  const one = await makeSamples(gan, { hundreds: 2, seed: 5 });
  expect(one.images).toHaveLength(200 * 784);
  expect([...one.labels.slice(8, 13)]).toEqual([8, 9, 0, 1, 2]);
  expect(one.images.every((x) => x >= 0 && x <= 1)).toBe(true);
  expect((await makeSamples(gan, { hundreds: 2, seed: 5 })).images).toEqual(one.images);
  expect((await makeSamples(gan, { hundreds: 2, seed: 6 })).images).not.toEqual(one.images);
  gan.dispose();

  const images = new Float32Array(6 * 784);
  images[4 * 784 + 28 + 2] = 1; // second row of the grid, second image: pixel (2, 1)
  images.fill(1, 784, 784 + 2).fill(1, 784 + 28, 784 + 30); // first row, second image: a corner
  const { width, height, channels, data } = decode(grid(images, 3));
  expect([width, height, channels]).toEqual([84, 56, 1]);
  const bright = [...data.entries()].filter(([, x]) => x > 0).map(([at]) => at);
  expect(bright).toEqual([28, 29, 84 + 28, 84 + 29, 29 * 84 + 30]);
  const [first, ...others] = asText(images, 3).split("\n");
  expect(first).toBe(`${" ".repeat(14)}@`);
  expect(others).toHaveLength(13);
  expect(others.join("")).toBe("");
});
