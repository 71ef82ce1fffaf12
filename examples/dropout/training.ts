import { type Batch, DataLoader, type DeviceDataset, splitDataset } from "gradus/data";
import { crossEntropy } from "gradus/losses";
import { accuracy } from "gradus/metrics";
import type { Module, Sequential } from "gradus/nn";
import { Adam, cosineDecay } from "gradus/optim";
import { type Callback, type FitResult, fit } from "gradus/train";
import { dropoutNetwork } from "./network.ts";

/** What fixes a run. */
export interface Settings {
  epochs: number;
  batchSize: number;
  /** At the first step. */
  learningRate: number;
  /** The share of the hidden units that a step leaves out. */
  dropout: number;
  seed: number;
}

/** The share of the 60,000 images on which only the loss is watched. */
const VALIDATION = 1 / 12;

/** Trains the network on part of the data, measures it on the rest after each epoch, and gives it. */
export async function trainWithDropout(
  data: DeviceDataset,
  { epochs, batchSize, learningRate, dropout, seed }: Settings,
  options: { callbacks?: readonly Callback[]; signal?: AbortSignal } = {},
): Promise<FitResult & { model: Sequential }> {
  const shares = { train: 1 - VALIDATION, validation: VALIDATION };
  const { train, validation } = splitDataset(data, shares, { seed });
  const loader = new DataLoader({ dataset: train, batchSize, seed, dropLast: true });
  const model = dropoutNetwork(dropout, seed);
  const schedule = cosineDecay(learningRate, { steps: epochs * loader.stepsPerEpoch });
  const result = await fit({
    model,
    optimizer: new Adam(model.parameters(), { learningRate: schedule }),
    loss: (net: Module, { images, labels }: Batch) => crossEntropy(net.call(images), labels),
    metrics: { accuracy: (net, { images, labels }) => accuracy(net.call(images), labels) },
    loader,
    epochs,
    validationData: validation,
    ...options,
  });
  return { ...result, model };
}
