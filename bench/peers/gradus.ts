import { mnist } from "../../src/data/index.ts";
import {
  add,
  compile,
  type Device,
  grad,
  type InitOptions,
  init,
  matmul,
  mul,
  permute,
  relu,
  reshape,
  sigmoid,
  slice,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  windows,
} from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { Linear, Sequential } from "../../src/nn/index.ts";
import { Adam, SGD } from "../../src/optim/index.ts";
import { evaluateAccuracy, trainStep } from "../../src/train/index.ts";
import { type DigitBatch, digitFiles } from "../workloads/digits.ts";
import { CHECKED_MODEL_STEPS, CHECKED_STEPS } from "../workloads/index.ts";
import { firstBatches, initialLayers, type Network } from "../workloads/networks.ts";
import { joinConvolution, joinLoss } from "../workloads/references.ts";
import { modelSteps } from "./gradus-models.ts";
import { stepsOf } from "./gradus-steps.ts";
import { preparedPeak } from "./peak.ts";
import {
  type Learner,
  type Peer,
  type Prepared,
  peerOf,
  preparedLearning,
  preparedSteps,
  type Steps,
} from "./peer.ts";

/** Gradus, of this working tree. */
export async function createGradus(options: InitOptions): Promise<Peer> {
  return gradusOn((await init(options)).device);
}

/** Gradus on a device that is the default one. */
export function gradusOn(device: Device): Peer {
  return peerOf(device.description, {
    matmul: ({ task: { m, k, n, transposed }, inputs }) => {
      const { a, b } = inputs();
      const x = tensor(a, { shape: transposed === "a" ? [k, m] : [m, k] });
      const w = tensor(b, { shape: transposed === "b" ? [n, k] : [k, n] });
      const compute = () =>
        matmul(transposed === "a" ? transpose(x) : x, transposed === "b" ? transpose(w) : w);
      return prepared([x, w], () => [compute()]);
    },
    chain: ({ inputs }) => {
      const x = tensor(inputs().x);
      return prepared([x], () => [chain(x)]);
    },
    softmax: ({ task: { rows, columns }, inputs }) => {
      const x = tensor(inputs().x, { shape: [rows, columns] });
      return prepared([x], () => [softmax(x, { axis: 1 })]);
    },
    sum: ({ task: { rows, columns, of }, inputs }) => {
      const x = tensor(inputs().x, { shape: [rows, columns] });
      return prepared([x], () => [of === "all" ? sum(x) : sum(x, { axis: 1 })]);
    },
    crossEntropy: ({ task: { rows, columns }, inputs }) => {
      const given = inputs();
      const logits = tensor(given.logits, { shape: [rows, columns] });
      const labels = tensor(given.labels);
      const compute = () => {
        const loss = crossEntropy(logits, labels);
        return [loss, ...grad(loss, [logits])];
      };
      return prepared([logits, labels], compute, ([loss, dz]) => joinLoss(loss[0], dz, rows));
    },
    train: ({ task: { network } }) => preparedSteps(networkSteps(device, network), CHECKED_STEPS),
    trainModel: ({ task: { model } }) =>
      preparedSteps(modelSteps(device, model), CHECKED_MODEL_STEPS),
    firstStep: ({ task: { network } }) => preparedSteps(networkSteps(device, network, 1), 1),
    learn: ({ task: { network } }) =>
      preparedLearning(network, CHECKED_STEPS, () => learner(network)),
    peak: ({ task: { rounds } }) => preparedPeak(rounds),
    convolution: ({ task, inputs }) => {
      const { batch, size, inputs: from, outputs: to, kernel, gradients } = task;
      const given = inputs();
      const places = size - kernel + 1;
      const x = tensor(given.x, { shape: [batch, size, size, from] });
      const w = tensor(given.w, { shape: [kernel, kernel, from, to] });
      const g = tensor(given.g, { shape: [batch * places ** 2, to] });
      const compute = () => {
        const y = convolve(x, w);
        if (!gradients) return [y];
        const loss = sum(mul(y, g));
        return [loss, ...grad(loss, [x, w])];
      };
      const join: Join = (lists) => (gradients ? joinConvolution(lists, task) : lists[0]);
      return prepared([x, w, g], compute, join);
    },
    infer: ({ task: { network } }) => {
      const model = makeModel(network);
      const [{ images }] = firstBatches(network, 1);
      const x = tensor(images, { shape: [network.batchSize, network.sizes[0]] });
      return prepared([x, ...model.parameters()], () => [model.call(x)]);
    },
  });
}

/** As `chain` in references.ts. */
function chain(x: Tensor): Tensor {
  const d = sub(mul(add(mul(x, 0.5), 1), x), 0.25);
  return add(square(mul(sigmoid(d), d)), x);
}

/** Windows × kernels: a product of `[n · places, kernel² · inputs]` with `[kernel² · inputs, outputs]`. */
function convolve(x: Tensor, w: Tensor): Tensor {
  const [kernel, , from, to] = w.shape;
  const view = windows(x, [kernel, kernel], { axis: [1, 2] });
  const [n, rows, columns] = view.shape;
  const patches = permute(view, 0, 1, 2, 4, 5, 3);
  const terms = kernel * kernel * from;
  return matmul(reshape(patches, [n * rows * columns, terms]), reshape(w, [terms, to]));
}

type Join = (outputs: ArrayLike<number>[]) => ArrayLike<number>;

/** A computation that is compiled once and enqueued each time. */
function prepared(
  operands: readonly Tensor[],
  compute: () => Tensor[],
  join: Join = ([y]) => y,
): Prepared {
  const enqueue = compile(compute);
  const free = (tensors: readonly Tensor[]) => {
    for (const x of tensors) x.dispose();
  };
  return {
    result: async () => {
      const outputs = await enqueue();
      const values = await Promise.all(outputs.map((y) => y.data()));
      free(outputs);
      return join(values);
    },
    run: async (times) => {
      for (let i = 1; i < times; i++) free(await enqueue());
      const outputs = await enqueue();
      using one = slice(
        outputs[0],
        outputs[0].shape.map(() => ({ end: 1 })),
      );
      await one.data();
      free(outputs);
    },
    dispose: () => {
      enqueue.dispose();
      free(operands);
    },
  };
}

function makeModel(network: Network): Sequential {
  const layers = initialLayers(network).flatMap(({ inputs, outputs, weight }, i) => [
    ...(i > 0 ? [network.activation === "relu" ? relu : sigmoid] : []),
    new Linear(inputs, outputs, {
      weightInit: (shape, { device }) => tensor(weight, { shape, device }),
    }),
  ]);
  return new Sequential(...layers);
}

function makeOptimizer({ optimizer, learningRate }: Network, model: Sequential): Adam | SGD {
  const Optimizer = optimizer === "adam" ? Adam : SGD;
  return new Optimizer(model.parameters(), { learningRate });
}

/** Steps of a network's training on the default device. */
export function networkSteps(device: Device, network: Network, count?: number): Steps<void> {
  const model = makeModel(network);
  const { batchSize, sizes } = network;
  return stepsOf(device, {
    model,
    optimizer: makeOptimizer(network, model),
    batches: firstBatches(network, count).map(({ images, labels }) => ({
      images: tensor(images, { shape: [batchSize, sizes[0]] }),
      labels: tensor(labels),
    })),
    loss: (net, { images, labels }) => crossEntropy(net.call(images), labels),
  });
}

/** Trains on digits that lie on the device as bytes; a step is told which. */
function learner(network: Network): Learner<void> {
  const { train, test } = digitFiles();
  const model = makeModel(network);
  const optimizer = makeOptimizer(network, model);
  const [digits, heldOut] = [mnist(train.images, train.labels), mnist(test.images, test.labels)];
  const step = trainStep({
    model,
    optimizer,
    loss: (net, { rows }: Pick<DigitBatch, "rows">) => {
      const { images, labels } = digits.rows(tensor(rows));
      return crossEntropy(net.call(images), labels);
    },
  });
  return {
    step: ({ rows }) => step({ rows }),
    read: async () => {
      const records = await step.read();
      return records[records.length - 1].loss;
    },
    drop: () => {},
    accuracy: () => evaluateAccuracy(model, heldOut),
    dispose: () => {
      for (const part of [step, model, optimizer, digits, heldOut]) part.dispose();
    },
  };
}
