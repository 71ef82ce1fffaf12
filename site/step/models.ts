/** The models that the page takes apart, each with the data of a few batches. */
import {
  add,
  concat,
  mul,
  randomUniform,
  relu,
  reshape,
  sigmoid,
  type Tensor,
  take,
  tensor,
} from "gradus";
import { DataLoader, TensorDataset } from "gradus/data";
import { crossEntropy } from "gradus/losses";
import {
  BatchNorm1d,
  Conv2d,
  Dropout,
  Embedding,
  Flatten,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  Sequential,
  TransformerEncoderLayer,
} from "gradus/nn";
import { Adam, type Optimizer, SGD } from "gradus/optim";
import type { ModelName } from "./model-names.ts";

/** What a batch has: inputs, and the class of each. */
export type Batch = { readonly x: Tensor; readonly labels: Tensor };

/** Something to train. */
export interface Trainable {
  readonly model: Module;
  readonly optimizer: Optimizer;
  readonly loader: DataLoader<Batch>;
  loss(net: Module, batch: Batch): Tensor;
}

/** Numbers from 0 to below `classes`, each as often as the others. */
function labelsOf(count: number, classes: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => (i * 7) % classes);
}

/** Rows of noise, half of each the pattern of its class, in batches. */
function patterns(shape: readonly number[], classes: number, batchSize: number) {
  const labels = tensor(labelsOf(4 * batchSize, classes));
  const means = randomUniform([classes, ...shape], { seed: 1 });
  const noise = randomUniform([labels.size, ...shape], { seed: 2 });
  const x = mul(add(take(means, labels, { axis: 0 }), noise), 0.5);
  const dataset = new TensorDataset({ x, labels });
  return new DataLoader({ dataset, batchSize, seed: 3 });
}

const classify = (net: Module, { x, labels }: Batch) =>
  crossEntropy(net.call(x), reshape(labels, [-1]));

// #region gpt
/** One block of attention over tokens, and the next token of each place. */
class SmallGpt extends Module {
  readonly tokens = new Embedding(64, 64, { seed: 1 });
  readonly places = new Embedding(32, 64, { seed: 2 });
  readonly block = new TransformerEncoderLayer(64, 4, {
    dimFeedforward: 256,
    dropout: 0,
    activation: "gelu",
    normFirst: true,
    seed: 3,
  });
  readonly norm = new LayerNorm(64);
  readonly head = new Linear(64, 64, { seed: 4 });
  readonly #order = tensor(Int32Array.from({ length: 32 }, (_, i) => i));

  override forward(x: Tensor): Tensor {
    const h = add(this.tokens.call(x), this.places.call(this.#order));
    const y = this.norm.call(this.block.call(h, { causal: true }));
    return reshape(this.head.call(y), [-1, 64]);
  }
}
// #endregion

const MAKERS: Readonly<Record<ModelName, () => Trainable>> = {
  dense: () => {
    // #region dense
    const hidden = new Linear(784, 50, { seed: 1 });
    const model = new Sequential(hidden, sigmoid, new Linear(50, 10, { seed: 2 }));
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
    // #endregion
    return { model, optimizer, loader: patterns([784], 10, 100), loss: classify };
  },
  convolutional: () => {
    // #region convolutional
    const model = new Sequential(
      new Conv2d(1, 8, 3, { padding: 1, seed: 1 }),
      relu,
      new MaxPool2d(2),
      new Conv2d(8, 16, 3, { padding: 1, seed: 2 }),
      relu,
      new MaxPool2d(2),
      new Flatten(),
      new Linear(784, 10, { seed: 3 }),
    );
    const optimizer = new Adam(model.parameters(), { learningRate: 0.001 });
    // #endregion
    return { model, optimizer, loader: patterns([1, 28, 28], 10, 20), loss: classify };
  },
  normalised: () => {
    // #region normalised
    const model = new Sequential(
      new Linear(64, 64, { seed: 1 }),
      new BatchNorm1d(64),
      relu,
      new Dropout(0.2, { seed: 2 }),
      new Linear(64, 10, { seed: 3 }),
    );
    const optimizer = new Adam(model.parameters(), { learningRate: 0.003 });
    // #endregion
    return { model, optimizer, loader: patterns([64], 10, 50), loss: classify };
  },
  gpt: () => {
    const model = new SmallGpt();
    const optimizer = new Adam(model.parameters(), { learningRate: 0.001 });
    const rows = [0, 1, 2, 3].map((from) =>
      tensor(
        Int32Array.from({ length: 8 * 32 }, (_, i) => (i * (from + 3)) % 63),
        { shape: [8, 32] },
      ),
    );
    const x = concat(rows, { axis: 0 });
    const labels = concat(
      rows.map((row) => row.add(1)),
      { axis: 0 },
    );
    const dataset = new TensorDataset({ x, labels });
    const loader = new DataLoader({ dataset, batchSize: 8, seed: 3 });
    return { model, optimizer, loader, loss: classify };
  },
};

/** Makes a model with its data. */
export function make(name: ModelName): Trainable {
  return MAKERS[name]();
}
