import { type Batch, DataLoader, type DeviceDataset } from "gradus/data";
import { crossEntropy } from "gradus/losses";
import type { Module, Sequential } from "gradus/nn";
import { Adam, cosineDecay } from "gradus/optim";
import { type Callback, type FitResult, fit } from "gradus/train";
import { convolutionalNetwork } from "./network.ts";

/** What fixes a run. */
export interface Settings {
  epochs: number;
  batchSize: number;
  /** At the first step. */
  learningRate: number;
  /** The share of features that a step leaves out before each dense layer. */
  dropout: number;
  seed: number;
}

/** Trains the network, measures it after each epoch, and gives it. */
export async function trainConvolutions(
  trainData: DeviceDataset,
  testData: DeviceDataset,
  { epochs, batchSize, learningRate, dropout, seed }: Settings,
  options: { callbacks?: readonly Callback[]; signal?: AbortSignal } = {},
): Promise<FitResult & { model: Sequential }> {
  const loader = new DataLoader({ dataset: trainData, batchSize, seed, dropLast: true });
  const model = convolutionalNetwork(dropout, seed);
  const schedule = cosineDecay(learningRate, { steps: epochs * loader.stepsPerEpoch });
  const result = await fit({
    model,
    optimizer: new Adam(model.parameters(), { learningRate: schedule }),
    loss: (net: Module, { images, labels }: Batch) => crossEntropy(net.call(images), labels),
    loader,
    epochs,
    testData,
    ...options,
  });
  return { ...result, model };
}
