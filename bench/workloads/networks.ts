import { labelArray, oneHotRows, uniformArray, uniformSeries } from "./random.ts";

/** How many batches a training run goes round. */
export const BATCHES = 10;

/** A network of dense layers, how it is trained, and on what. */
export interface Network {
  readonly name: string;
  /** Sizes of the input, the hidden layers and the logits. */
  readonly sizes: readonly number[];
  readonly activation: "sigmoid" | "relu";
  readonly optimizer: "sgd" | "adam";
  readonly learningRate: number;
  readonly batchSize: number;
}

/** Constants of Adam, the same for every library. */
export const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

export const NETWORKS: readonly Network[] = [
  {
    name: "784-50-10 sigmoid, SGD, batch 100",
    sizes: [784, 50, 10],
    activation: "sigmoid",
    optimizer: "sgd",
    learningRate: 0.1,
    batchSize: 100,
  },
  {
    name: "784-128-10 relu, Adam, batch 64",
    sizes: [784, 128, 10],
    activation: "relu",
    optimizer: "adam",
    learningRate: 1e-3,
    batchSize: 64,
  },
  {
    name: "784-256-128-10 relu, Adam, batch 128",
    sizes: [784, 256, 128, 10],
    activation: "relu",
    optimizer: "adam",
    learningRate: 1e-3,
    batchSize: 128,
  },
  {
    name: "784-512-512-10 relu, Adam, batch 128",
    sizes: [784, 512, 512, 10],
    activation: "relu",
    optimizer: "adam",
    learningRate: 1e-3,
    batchSize: 128,
  },
];

/** Networks whose steps are so small that little but their calls takes time. */
export const TINY_NETWORKS: readonly Network[] = [
  {
    name: "4-8-3 sigmoid, SGD, batch 16",
    sizes: [4, 8, 3],
    activation: "sigmoid",
    optimizer: "sgd",
    learningRate: 0.1,
    batchSize: 16,
  },
  {
    name: "2-16-16-2 relu, SGD, batch 32",
    sizes: [2, 16, 16, 2],
    activation: "relu",
    optimizer: "sgd",
    learningRate: 0.1,
    batchSize: 32,
  },
];

/** A dense layer's initial values: y = x·W + b. */
export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** `[inputs, outputs]`, uniform in ±√(6 / (inputs + outputs)). */
  readonly weight: Float32Array;
  /** `[outputs]`, zeros. */
  readonly bias: Float32Array;
}

const layersOf = new WeakMap<Network, readonly Layer[]>();
const batchesOf = new WeakMap<Network, readonly Batch[]>();

/** The initial layers of a network, made once. */
export function initialLayers(network: Network): readonly Layer[] {
  const layers = layersOf.get(network) ?? makeLayers(network);
  layersOf.set(network, layers);
  return layers;
}

/** The first batches of a network, made once: as many as are asked for, all when left out. */
export function firstBatches(network: Network, count = BATCHES): readonly Batch[] {
  const batches = batchesOf.get(network) ?? makeBatches(network);
  batchesOf.set(network, batches);
  return batches.slice(0, count);
}

/** Lets a network train on other batches than those that are made for it. */
export function setFirstBatches(network: Network, batches: readonly Batch[]): void {
  batchesOf.set(network, batches);
}

function makeLayers({ sizes }: Network): Layer[] {
  return sizes.slice(1).map((outputs, i) => {
    const inputs = sizes[i];
    const limit = Math.sqrt(6 / (inputs + outputs)); // Glorot and Bengio 2010, eq. 16
    const weight = uniformArray(100 + i, inputs * outputs, -limit, limit);
    return { inputs, outputs, weight, bias: new Float32Array(outputs) };
  });
}

/** Images, their labels, and these as rows of zeros with a one. */
export interface Batch {
  /** `[batchSize, 784]` in [0, 1). */
  readonly images: Float32Array;
  /** `[batchSize]` in 0 to 9. */
  readonly labels: Int32Array;
  /** `[batchSize, 10]`. */
  readonly oneHot: Float32Array;
}

/** Makes batches of images, each its class's pattern mixed with noise, half and half. */
export function makeBatches({ sizes, batchSize }: Pick<Network, "sizes" | "batchSize">): Batch[] {
  const [features] = sizes;
  const classes = sizes[sizes.length - 1];
  const patterns = uniformArray(7, classes * features, 0, 1);
  return Array.from({ length: BATCHES }, (_, batch) => {
    const labels = labelArray(1000 + batch, batchSize, classes);
    const noise = uniformSeries(2000 + batch);
    const images = new Float32Array(batchSize * features);
    for (let i = 0; i < images.length; i++) {
      const label = labels[Math.floor(i / features)];
      images[i] = 0.5 * patterns[label * features + (i % features)] + 0.5 * noise();
    }
    return { images, labels, oneHot: oneHotRows(labels, classes) };
  });
}
