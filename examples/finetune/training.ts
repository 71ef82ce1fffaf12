import type { Tensor } from "gradus";
import { reshape, rot90, sub } from "gradus";
import { type Batch, DataLoader, type DeviceDataset } from "gradus/data";
import { crossEntropy } from "gradus/losses";
import { addLora, Sequential } from "gradus/nn";
import { Adam, cosineDecay } from "gradus/optim";
import { evaluateAccuracy, trainStep } from "gradus/train";

/** What becomes of digits that the network has never seen so. */
export const SHIFTS = {
  /** Black on white. */
  inverted: (images: Tensor) => sub(1, images),
  /** By a quarter turn. */
  rotated: (images: Tensor) => {
    const turned = rot90(reshape(images, [images.shape[0], 28, 28]), 1, { axis: [1, 2] });
    return reshape(turned, images.shape);
  },
};

/** What fixes a run. */
export interface Settings {
  shift: keyof typeof SHIFTS;
  steps: number;
  batchSize: number;
  /** Adam's at the first step; it falls to 0 along a cosine. */
  learningRate: number;
  /** Of the adapters. */
  rank: number;
  alpha: number;
  seed: number;
}

/** Measures how many digits a network knows, as they are or shifted. */
export function accuracyOf(
  model: Sequential,
  data: DeviceDataset,
  shift?: Settings["shift"],
): Promise<number> {
  return evaluateAccuracy(shift ? new Sequential(SHIFTS[shift], model) : model, data);
}

/**
 * Puts adapters beside all weights of a network and trains them on shifted digits.
 * @returns the number of steps that were made.
 */
export async function adapt(
  model: Sequential,
  trainData: DeviceDataset,
  { shift, steps, batchSize, learningRate, rank, alpha, seed }: Settings,
  options: { signal?: AbortSignal; onProgress?: (step: number, loss: number) => void } = {},
): Promise<number> {
  const { signal, onProgress = () => {} } = options;
  addLora(model, { rank, alpha, seed });
  const schedule = cosineDecay(learningRate, { steps });
  const optimizer = new Adam(model.parameters(), { learningRate: schedule });
  const step = trainStep({
    model,
    optimizer,
    loss: (net: Sequential, { images, labels }: Batch) =>
      crossEntropy(net.call(SHIFTS[shift](images)), labels),
    batchAt: new DataLoader({ dataset: trainData, batchSize, seed, dropLast: true }).batchAt,
  });
  while (step.next < steps && !signal?.aborted) {
    await step();
    if (step.next % 100 === 0 || step.next === steps) {
      const records = await step.read();
      onProgress(step.next, records.reduce((sum, { loss }) => sum + loss, 0) / records.length);
    }
  }
  const made = step.next;
  step.dispose();
  optimizer.dispose();
  return made;
}
