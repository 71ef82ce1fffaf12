import { argmax, compile, foldIn, keyFromSeed, type Tensor, tensor } from "gradus";
import { type Batch, DataLoader, type DeviceDataset } from "gradus/data";
import { crossEntropy } from "gradus/losses";
import { heNormal, Linear, type Module, ReLU, Sequential } from "gradus/nn";
import { Adam, cosineDecay } from "gradus/optim";
import { evaluateAccuracy, fit } from "gradus/train";
import { CLASSES } from "./network.ts";
import type { Samples } from "./samples.ts";

/** Trains 784-128-10 on real digits for an epoch, to say which digits made ones look like. */
export async function trainJudge(
  { trainData, testData }: { trainData: DeviceDataset; testData: DeviceDataset },
  seed: number,
): Promise<{ model: Sequential; testAccuracy: number }> {
  const key = keyFromSeed(seed);
  const model = new Sequential(
    new Linear(784, 128, { weightInit: heNormal(), key: foldIn(key, 300) }),
    new ReLU(),
    new Linear(128, CLASSES, { key: foldIn(key, 301) }),
  );
  const loader = new DataLoader({ dataset: trainData, batchSize: 100, seed, dropLast: true });
  const learningRate = cosineDecay(0.003, { steps: loader.stepsPerEpoch });
  await fit({
    model,
    optimizer: new Adam(model.parameters(), { learningRate }),
    loss: (net: Module, { images, labels }: Batch) =>
      crossEntropy(net.call(images) as Tensor, labels),
    loader,
    epochs: 1,
  });
  return { model, testAccuracy: await evaluateAccuracy(model, testData) };
}

/** What a classifier says of images that were made. */
export interface Verdict {
  /** The share taken for the class that the generator was told. */
  readonly asTold: number;
  /** How many look like each digit. */
  readonly counts: readonly number[];
  /** The entropy of these shares over that of equal ones, from 0 (one digit alone) to 1. */
  readonly variety: number;
}

/** Has a classifier say which digits images look like. */
export async function judgeSamples(
  model: Sequential,
  { images, labels }: Samples,
): Promise<Verdict> {
  using x = tensor(images, { shape: [labels.length, 784] });
  const classify = compile((x: Tensor) => argmax(model.call(x), { axis: 1 }));
  using classes = await classify(x);
  const found = await classes.data();
  classify.dispose();
  const counts = new Array<number>(CLASSES).fill(0);
  let right = 0;
  for (const [i, label] of labels.entries()) {
    counts[found[i]]++;
    if (found[i] === label) right++;
  }
  const shares = counts.map((n) => n / labels.length).filter((p) => p > 0);
  const entropy = shares.reduce((sum, p) => sum + p * Math.log(1 / p), 0);
  return { asTold: right / labels.length, counts, variety: entropy / Math.log(CLASSES) };
}
