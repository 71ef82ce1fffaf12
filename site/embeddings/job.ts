/** Nets with embeddings in a plane learn MNIST's digits, each under a loss of its own. */
import { compile, concat, init, type Tensor, tensor } from "gradus";
import { type Batch, DataLoader, DeviceDataset } from "gradus/data";
import { Module } from "gradus/nn";
import { Adam } from "gradus/optim";
import { trainJob } from "gradus/worker";
import { EmbeddingNetwork } from "../../examples/embeddings/network.ts";
import { type Digits, loadDigits } from "../shell/digits.ts";
import { MAKERS } from "./losses.ts";
import type { LossName } from "./names.ts";

export interface Comparison {
  readonly losses: readonly LossName[];
  readonly hidden: number;
  readonly rate: number;
  readonly seed: number;
}

/** Where a net sees the shown digits: x and y in turn; and the share of them that it tells right. */
export interface View {
  readonly points: Float32Array;
  readonly accuracy: number;
}

/** The shown digits, and where all nets see them before the first step. */
export interface Shown {
  readonly labels: Uint8Array;
  readonly views: readonly View[];
}

/** Digits of the test set that are shown. */
const SHOWN = 1000;
const EPOCHS = 20;

/** MNIST's digits on the device. */
function onDevice({ images, labels }: Digits): DeviceDataset {
  const shape = [labels.length, 784];
  return new DeviceDataset(tensor(images, { shape }), tensor(labels));
}

// #region job
/** All nets beside each other, trained by the same batches. */
class Nets extends Module {
  constructor(readonly nets: EmbeddingNetwork[]) {
    super();
  }

  /** The embeddings of all nets beside each other, `[n, 2 · nets]`. */
  override forward(images: Tensor): Tensor {
    return concat(
      this.nets.map((net) => net.embed(images)),
      { axis: 1 },
    );
  }

  loss({ images, labels }: Batch): Tensor {
    const each = this.nets.map((net) => net.head.loss(net.embed(images), labels));
    return each.reduce((sum, loss) => sum.add(loss));
  }
}

export default trainJob(async (task: Comparison, tell: (shown: Shown) => void) => {
  const { losses, hidden, rate, seed } = task;
  const [{ train, test }] = await Promise.all([loadDigits(), init()]);
  const sizes = { hidden, features: 2, classes: 10 };
  // Of one seed: all begin alike.
  const model = new Nets(losses.map((name) => new EmbeddingNetwork(sizes, MAKERS[name], seed)));
  const dataset = onDevice(train);
  const loader = new DataLoader({ dataset, batchSize: 100, seed });
  const optimizer = new Adam(model.parameters(), { learningRate: rate });
  const loss = (nets: Nets, batch: Batch) => nets.loss(batch);
  // #endregion
  const tested = onDevice(test);
  const rows = Uint32Array.from({ length: SHOWN }, (_, i) => i);
  const shown = tested.batch(rows);
  const see = compile((images: Tensor) =>
    model.nets.flatMap((net) => {
      const points = net.embed(images);
      return [points, net.head.call(points)];
    }),
  );
  const views = async (): Promise<View[]> => {
    const found = await see(shown.images);
    const values = (await Promise.all(found.map((x) => x.data()))) as Float32Array[];
    for (const x of found) x.dispose();
    return model.nets.map((_, k) => {
      return { points: values[2 * k], accuracy: rightShare(values[2 * k + 1], test.labels) };
    });
  };
  return {
    ...{ model, optimizer, loss, loader, epochs: EPOCHS, metricsEvery: 4 },
    async onStart() {
      tell({ labels: test.labels.slice(0, SHOWN), views: await views() });
    },
    calls: {
      views,
      picture: (i: number) => test.images.slice(784 * i, 784 * (i + 1)),
    },
    dispose() {
      see.dispose();
      shown.dispose();
      for (const data of [dataset, tested]) data.dispose();
    },
  };
});

/** How often the greatest of ten logits is that of the label. */
function rightShare(logits: Float32Array, labels: Uint8Array): number {
  let right = 0;
  for (let i = 0; i < logits.length / 10; i++) {
    const own = logits.subarray(10 * i, 10 * (i + 1));
    if (own.every((z) => z <= own[labels[i]])) right++;
  }
  return right / (logits.length / 10);
}
