import { softmax, type Tensor, tensor } from "gradus";
import { type Batch, BatchSampler, type DeviceDataset, mnist, normalizeImages } from "gradus/data";
import { crossEntropy } from "gradus/losses";
import { accuracy } from "gradus/metrics";
import { SGD } from "gradus/optim";
import { type StepRecord, type TrainStep, trainStep } from "gradus/train";
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
  readonly #step: TrainStep<Batch>;

  constructor({ hiddenSize, seed, learningRate, batchSize }: Settings, { train, test }: Mnist) {
    this.#model = new TwoLayerNetwork(hiddenSize, seed);
    this.#optimizer = new SGD(this.#model.parameters(), { learningRate });
    this.#train = mnist(train.images, train.labels);
    this.#test = mnist(test.images, test.labels);
    const { size } = this.#train;
    const sampler = new BatchSampler({ size, batchSize, seed, dropLast: true });
    this.stepsPerEpoch = sampler.stepsPerEpoch;
    this.#step = trainStep({
      model: this.#model,
      optimizer: this.#optimizer,
      loss: (model, { images, labels }) => crossEntropy(model.call(images), labels),
      metrics: {
        accuracy: (model, { images, labels }) => accuracy(model.call(images), labels),
      },
      batchAt: (step) => this.#train.batchAt(step, sampler),
    });
  }

  /** Enqueues one step; waits only while the device is far behind. */
  step(): Promise<void> {
    return this.#step();
  }

  /** Steps made so far. */
  get steps(): number {
    return this.#step.next;
  }

  /** Waits for the steps since the last call, and gives their means. */
  async measure(): Promise<Means> {
    const records = await this.#step.read();
    const mean = (of: (record: StepRecord) => number) =>
      records.reduce((sum, record) => sum + of(record), 0) / records.length;
    return { loss: mean(({ loss }) => loss), accuracy: mean(({ accuracy }) => accuracy) };
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
    for (const x of [this.#model, this.#optimizer, this.#train, this.#test, this.#step]) {
      x.dispose();
    }
  }

  async #probabilities(images: Tensor): Promise<Float32Array> {
    using y = softmax(this.#model.call(images), { axis: 1 });
    return (await y.data()) as Float32Array;
  }
}
