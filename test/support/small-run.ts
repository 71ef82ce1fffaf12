import { type Batch, DataLoader, DeviceDataset } from "../../src/data/index.ts";
import { tensor } from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { Dropout, Linear, type Module, Sequential, Tanh } from "../../src/nn/index.ts";
import { Adam, linearWarmup, type Schedule, stepDecay } from "../../src/optim/index.ts";

/** Six features in bytes and one of three classes, the same examples each time. */
export function smallData(size: number, first = 0): DeviceDataset {
  const pixels = Uint8Array.from({ length: 6 * size }, (_, i) => {
    const k = i + 6 * first;
    return (k * 97 + k * k) % 256;
  });
  const labels = Uint8Array.from({ length: size }, (_, i) => ((i + first) * 5) % 3);
  return new DeviceDataset(tensor(pixels, { shape: [size, 6] }), tensor(labels));
}

export const smallLoss = (model: Module, { images, labels }: Batch) =>
  crossEntropy(model.call(images), labels);

/** A schedule that changes in every epoch of a few steps. */
export const smallSchedule: Schedule = linearWarmup(stepDecay(0.05, { every: 3, factor: 0.7 }), {
  steps: 2,
});

/** A small network with fresh weights, its optimizer and 20 shuffled examples in batches. */
export function smallRun(
  learningRate: number | Schedule = smallSchedule,
  batchSize = 5,
  dropout = 0.2,
) {
  const model = new Sequential(
    new Linear(6, 7, { seed: 1 }),
    new Tanh(),
    new Dropout(dropout, { seed: 5 }),
    new Linear(7, 3, { seed: 2 }),
  );
  const dataset = smallData(20);
  return {
    model,
    optimizer: new Adam(model.parameters(), { learningRate }),
    loss: smallLoss,
    loader: new DataLoader({ dataset, batchSize, seed: 3 }),
  };
}

/** Everything that a run changes, as numbers. */
export async function bitsOf({
  model,
  optimizer,
}: ReturnType<typeof smallRun>): Promise<number[][]> {
  const states = [...model.state().values(), ...optimizer.state().values()];
  return Promise.all(states.map(async (state) => Array.from(await state.data())));
}
