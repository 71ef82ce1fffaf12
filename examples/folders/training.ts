import { cast, compile, reshape, sigmoid, type Tensor } from "gradus";
import {
  type Batch,
  DataLoader,
  type Dataset,
  type DeviceDataset,
  splitDataset,
} from "gradus/data";
import { binaryCrossEntropyWithLogits } from "gradus/losses";
import { binaryAccuracy } from "gradus/metrics";
import type { Module, Sequential } from "gradus/nn";
import { Adam, cosineDecay } from "gradus/optim";
import { evaluateMeans, fit } from "gradus/train";
import { type NetworkKind, network } from "./network.ts";

/** What fixes a run. */
export interface Settings {
  readonly epochs: number;
  readonly batchSize: number;
  /** Adam's at the first step; it falls to 0 along a cosine. */
  readonly learningRate: number;
  readonly seed: number;
}

/** What was measured after an epoch. */
export interface Epoch {
  readonly epoch: number;
  readonly loss: number;
  /** The share of pictures that were not trained on and are told right. */
  readonly accuracy: number;
}

/** What a network made of the pictures. */
export interface FoldersResult {
  readonly model: Sequential;
  readonly history: readonly Epoch[];
  readonly accuracy: number;
}

/** Divides pictures into those to train on and the others, both classes alike. */
export function divide(data: DeviceDataset, labels: ArrayLike<number>, seed: number) {
  return splitDataset(data, { train: 0.8, test: 0.2 }, { seed, stratify: labels });
}

/** Logits `[n]` and what they should tell: 1 for the second class. */
export function outputs(model: Module, { images, labels }: Batch): [Tensor, Tensor] {
  return [reshape(model.call(images), [images.shape[0]]), cast(labels, "f32")];
}

/** Trains a network to tell two classes of pictures `[n, 3, size, size]`, by the sigmoid of one output. */
export async function trainOnFolders(
  kind: NetworkKind,
  { train, test }: { readonly train: Dataset<Batch>; readonly test: Dataset<Batch> },
  { size, settings }: { readonly size: number; readonly settings: Settings },
  options: { onEpoch?: (epoch: Epoch) => void; signal?: AbortSignal } = {},
): Promise<FoldersResult> {
  const { epochs, batchSize, learningRate, seed } = settings;
  const model = network(kind, size, seed);
  const loader = new DataLoader({ dataset: train, batchSize, seed, dropLast: true });
  const schedule = cosineDecay(learningRate, { steps: epochs * loader.stepsPerEpoch });
  const optimizer = new Adam(model.parameters(), { learningRate: schedule });
  const history: Epoch[] = [];
  await fit({
    model,
    optimizer,
    loss: (net, batch: Batch) => binaryCrossEntropyWithLogits(...outputs(net, batch)),
    metrics: { accuracy: rightlyTold },
    loader,
    validationData: test,
    epochs,
    signal: options.signal,
    callbacks: [
      {
        onEpoch({ epoch, loss, validationMetrics }) {
          const made = { epoch: epoch + 1, loss, accuracy: validationMetrics?.accuracy as number };
          history.push(made);
          options.onEpoch?.(made);
        },
      },
    ],
  });
  optimizer.dispose();
  const { accuracy } = await evaluateMeans(model, test, { accuracy: rightlyTold });
  return { model, history, accuracy };
}

/** The share of a batch that is told right. */
export function rightlyTold(model: Module, batch: Batch): Tensor {
  return binaryAccuracy(...outputs(model, batch), { threshold: 0 });
}

/** Gives the chance that each picture of a data set is of the second class. */
export async function chances(
  model: Sequential,
  data: Dataset<Batch>,
  batchSize = 100,
): Promise<Float32Array> {
  const found = new Float32Array(data.size);
  const chance = compile((images: Tensor) => sigmoid(model.call(images)));
  for (let start = 0; start < data.size; start += batchSize) {
    const count = Math.min(batchSize, data.size - start);
    const batch = await data.batch(Uint32Array.from({ length: count }, (_, i) => start + i));
    using y = await chance(batch.images);
    found.set((await y.data()) as Float32Array, start);
    batch.dispose();
  }
  chance.dispose();
  return found;
}
