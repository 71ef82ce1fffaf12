import { type Batch, DataLoader, type Dataset } from "gradus/data";
import { Adam, cosineDecay } from "gradus/optim";
import { fit } from "gradus/train";
import type { EmbeddingNetwork } from "./network.ts";

/** How a network is trained. */
export interface TrainingOptions {
  readonly epochs: number;
  readonly batchSize: number;
  /** Adam's first learning rate, which falls to 0 along half a cosine. */
  readonly learningRate: number;
  /** Fixes the order of the images. */
  readonly seed: number;
}

/** Trains a network by the loss of its head. */
export async function trainEmbeddings(
  model: EmbeddingNetwork,
  dataset: Dataset<Batch>,
  { epochs, batchSize, learningRate, seed }: TrainingOptions,
): Promise<void> {
  const loader = new DataLoader({ dataset, batchSize, seed, dropLast: true });
  const steps = epochs * loader.stepsPerEpoch;
  const optimizer = new Adam(model.parameters(), {
    learningRate: cosineDecay(learningRate, { steps }),
  });
  await fit({
    model,
    optimizer,
    loss: (net, { images, labels }) => net.head.loss(net.embed(images), labels),
    loader,
    epochs,
  });
  optimizer.dispose();
}
