import type { Tensor } from "gradus";
import type { Batch, Dataset, DeviceDataset } from "gradus/data";
import { spreadRatio } from "gradus/metrics";
import { evaluateAccuracy } from "gradus/train";
import { HEADS } from "./heads.ts";
import { EmbeddingNetwork } from "./network.ts";
import { type TrainingOptions, trainEmbeddings } from "./training.ts";

const CLASSES = 10;

/** How a network with embeddings in a plane is trained. */
export interface PlaneOptions extends TrainingOptions {
  readonly hidden: number;
  /** Epochs by plain softmax before the heads are compared. */
  readonly warmUp: number;
}

/** The settings of the command. */
export const PLANE = { hidden: 256, warmUp: 1, epochs: 1, batchSize: 128, learningRate: 0.003 };

/** What training with one head came to, measured on the test set. */
export interface PlaneResult {
  readonly head: string;
  readonly accuracy: number;
  /** Between-class over within-class spread of the embeddings as they are. */
  readonly spread: number;
  /** The same of the embeddings scaled to unit length. */
  readonly angularSpread: number;
  /** x and y of each test image, one after the other. */
  readonly points: Float32Array;
  readonly labels: Int32Array;
  readonly seconds: number;
}

/** Examples to train on and to measure with. */
export interface PlaneData {
  readonly trainData: Dataset<Batch>;
  readonly testData: DeviceDataset;
}

/** Trains 784-hidden-2 by plain softmax for `warmUp` epochs: where training by any head begins. */
export async function warmUp(
  { trainData }: PlaneData,
  options: PlaneOptions,
): Promise<EmbeddingNetwork> {
  const sizes = { hidden: options.hidden, features: 2, classes: CLASSES };
  const model = new EmbeddingNetwork(sizes, HEADS.softmax, options.seed);
  await trainEmbeddings(model, trainData, { ...options, epochs: options.warmUp });
  return model;
}

/**
 * Trains on with one of `HEADS`, from the weights of `start`, which stay as they are, and measures
 * the embeddings of the test set.
 */
export async function trainInPlane(
  head: string,
  data: PlaneData,
  start: EmbeddingNetwork,
  options: PlaneOptions,
): Promise<PlaneResult> {
  using model = new EmbeddingNetwork(start.sizes, HEADS[head], options.seed);
  await model.takeWeights(start);
  const began = performance.now();
  await trainEmbeddings(model, data.trainData, options);
  const seconds = (performance.now() - began) / 1000;
  const accuracy = await evaluateAccuracy(model, data.testData);
  using batch = data.testData.batch(everyRow(data.testData));
  using points = model.embed(batch.images);
  const ratio = async (normalize: boolean) => {
    using value = spreadRatio(points, batch.labels, { classes: CLASSES, normalize });
    return value.item();
  };
  const values = async <T>(x: Tensor) => (await x.data()) as T;
  return {
    head,
    accuracy,
    points: await values<Float32Array>(points),
    labels: await values<Int32Array>(batch.labels),
    spread: await ratio(false),
    angularSpread: await ratio(true),
    seconds,
  };
}

/** The numbers of all examples. */
export function everyRow({ size }: { size: number }): Uint32Array {
  return Uint32Array.from({ length: size }, (_, i) => i);
}
