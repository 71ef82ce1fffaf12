import { softmax, type Tensor, tensor } from "gradus";
import { type Batch, DataLoader, type DeviceDataset, mnist, normalizeImages } from "gradus/data";
import { crossEntropy } from "gradus/losses";
import { accuracy } from "gradus/metrics";
import { SGD } from "gradus/optim";
import { type TrainEvent, type TrainOptions, train } from "gradus/train";
import { TwoLayerNetwork } from "../../examples/mnist/network.ts";
import type { Mnist } from "../shell/mnist.ts";
import type { Settings } from "./protocol.ts";

type RunOptions = Pick<TrainOptions<TwoLayerNetwork, Batch>, "epochs" | "control" | "signal">;

/** The network with its data and optimizer, on the default device. */
export class Learner {
  readonly #model: TwoLayerNetwork;
  readonly #optimizer: SGD;
  readonly #train: DeviceDataset;
  readonly #test: DeviceDataset;
  readonly #loader: DataLoader<Batch>;

  constructor({ hiddenSize, seed, learningRate, batchSize }: Settings, { train, test }: Mnist) {
    this.#model = new TwoLayerNetwork(hiddenSize, seed);
    this.#optimizer = new SGD(this.#model.parameters(), { learningRate });
    this.#train = mnist(train.images, train.labels);
    this.#test = mnist(test.images, test.labels);
    this.#loader = new DataLoader({ dataset: this.#train, batchSize, seed, dropLast: true });
  }

  get stepsPerEpoch(): number {
    return this.#loader.stepsPerEpoch;
  }

  /** Trains; each half of an epoch is reported by an event, before the next step is made. */
  train(options: RunOptions): AsyncGenerator<TrainEvent, void, undefined> {
    return train({
      model: this.#model,
      optimizer: this.#optimizer,
      loss: (model, { images, labels }) => crossEntropy(model.call(images), labels),
      metrics: {
        accuracy: (model, { images, labels }) => accuracy(model.call(images), labels),
      },
      loader: this.#loader,
      measureEvery: Math.ceil(this.stepsPerEpoch / 2),
      ...options,
    });
  }

  /** Sets the step size from the next step on. */
  set learningRate(value: number) {
    this.#optimizer.learningRate = value;
  }

  /** Waits for all steps, and tells how many were made. */
  steps(): Promise<number> {
    return this.#optimizer.counter.item();
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
    for (const x of [this.#model, this.#optimizer, this.#train, this.#test]) x.dispose();
  }

  async #probabilities(images: Tensor): Promise<Float32Array> {
    using y = softmax(this.#model.call(images), { axis: 1 });
    return (await y.data()) as Float32Array;
  }
}
