import { BatchSampler, type DeviceDataset, mnist, normalizeImages } from "../../src/data/index.ts";
import { add, softmax, stack, type Tensor, tensor } from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { accuracy } from "../../src/metrics/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { TwoLayerNetwork } from "../mnist/network.ts";
import type { Mnist } from "./mnist.ts";
import type { Settings } from "./protocol.ts";

/** What was measured over some steps. */
export interface Means {
  readonly loss: number;
  /** 0 to 1, on the batches before each step. */
  readonly accuracy: number;
}

/** The network with its data and optimizer, on the default device. */
export class Learner {
  readonly stepsPerEpoch: number;
  readonly #model: TwoLayerNetwork;
  readonly #optimizer: SGD;
  readonly #train: DeviceDataset;
  readonly #test: DeviceDataset;
  readonly #batches: Iterator<Uint32Array>;
  /** Loss and accuracy summed up over `#count` steps, on the device. */
  #sums = noSums();
  #count = 0;

  constructor({ hiddenSize, seed, learningRate, batchSize }: Settings, { train, test }: Mnist) {
    this.#model = new TwoLayerNetwork(hiddenSize, seed);
    this.#optimizer = new SGD(this.#model.parameters(), { learningRate });
    this.#train = mnist(train.images, train.labels);
    this.#test = mnist(test.images, test.labels);
    const { size } = this.#train;
    const sampler = new BatchSampler({ size, batchSize, seed, dropLast: true });
    this.stepsPerEpoch = sampler.stepsPerEpoch;
    this.#batches = endless(sampler);
  }

  /** Enqueues one step and waits for nothing: everything in it is one plan. */
  step(): void {
    using batch = this.#train.batch(this.#batches.next().value);
    const logits = this.#model.call(batch.images);
    const loss = crossEntropy(logits, batch.labels);
    const sums = add(this.#sums, stack([loss, accuracy(logits, batch.labels)]));
    this.#optimizer.step(loss, [sums]);
    loss.dispose();
    this.#sums.dispose();
    this.#sums = sums;
    this.#count++;
  }

  /** Waits for the steps since the last call, and gives their means. */
  async measure(): Promise<Means> {
    const [sums, count] = [this.#sums, this.#count];
    this.#sums = noSums();
    this.#count = 0;
    const [loss, right] = await sums.data();
    sums.dispose();
    return { loss: loss / count, accuracy: right / count };
  }

  /** Gives the probabilities of all test images' classes, [n · 10]. */
  test(): Promise<Float32Array> {
    return this.#probabilities(normalizeImages(this.#test.images));
  }

  /** Gives the ten probabilities of one image: [784], 0 to 1. */
  async classify(pixels: Float32Array): Promise<Float32Array> {
    using image = tensor(pixels, { shape: [1, 784] });
    return await this.#probabilities(image);
  }

  dispose(): void {
    for (const x of [this.#model, this.#optimizer, this.#train, this.#test, this.#sums]) {
      x.dispose();
    }
  }

  async #probabilities(images: Tensor): Promise<Float32Array> {
    using y = softmax(this.#model.call(images), { axis: 1 });
    return (await y.data()) as Float32Array;
  }
}

function noSums(): Tensor {
  return tensor([0, 0]);
}

function* endless(sampler: BatchSampler): Generator<Uint32Array, never> {
  for (let epoch = 0; ; epoch++) yield* sampler.epoch(epoch);
}
