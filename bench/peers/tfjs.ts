import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import { CHECKED_MODEL_STEPS, CHECKED_STEPS } from "../workloads/index.ts";
import { ADAM, firstBatches, initialLayers, type Network } from "../workloads/networks.ts";
import { joinConvolution, joinLoss } from "../workloads/references.ts";
import { type Peer, type Prepared, peerOf, preparedSteps, type Steps } from "./peer.ts";
import { modelSteps } from "./tfjs-models.ts";
import { meanLoss, stepsOf } from "./tfjs-steps.ts";

/** TensorFlow.js on the backend that is registered under a name. */
export async function createTfjs(backend: "webgpu" | "wasm" | "cpu"): Promise<Peer> {
  if (!(await tf.setBackend(backend))) {
    throw new Error(`tfjs: the ${backend} backend could not be started`);
  }
  await tf.ready();
  return peerOf(`tfjs ${backend}`, {
    matmul: ({ task: { m, k, n, transposed }, inputs }) => {
      const { a, b } = inputs();
      const [fromA, fromB] = [transposed === "a", transposed === "b"];
      const x = tf.tensor2d(a, fromA ? [k, m] : [m, k]);
      const w = tf.tensor2d(b, fromB ? [n, k] : [k, n]);
      return prepared([x, w], () => [tf.matMul(x, w, fromA, fromB)]);
    },
    chain: ({ inputs }) => {
      const x = tf.tensor1d(inputs().x);
      return prepared([x], () => [chain(x)]);
    },
    softmax: ({ task: { rows, columns }, inputs }) => {
      const x = tf.tensor2d(inputs().x, [rows, columns]);
      return prepared([x], () => [tf.softmax(x)]);
    },
    sum: ({ task: { rows, columns, of }, inputs }) => {
      const x = tf.tensor2d(inputs().x, [rows, columns]);
      return prepared([x], () => [of === "all" ? tf.sum(x) : tf.sum(x, 1)]);
    },
    crossEntropy: ({ task: { rows, columns }, inputs }) => {
      const given = inputs();
      const logits = tf.tensor2d(given.logits, [rows, columns]);
      const targets = tf.tensor2d(given.oneHot, [rows, columns]);
      const both = tf.valueAndGrad((z) => meanLoss(targets, z));
      const compute = () => {
        const { value, grad } = both(logits);
        return [value, grad];
      };
      return prepared([logits, targets], compute, ([loss, dz]) => joinLoss(loss[0], dz, rows));
    },
    train: ({ task: { network } }) => preparedSteps(steps(network), CHECKED_STEPS),
    trainModel: ({ task: { model } }) => preparedSteps(modelSteps(model), CHECKED_MODEL_STEPS),
    firstStep: ({ task: { network } }) => preparedSteps(steps(network, 1), 1),
    learn: null,
    peak: null,
    convolution: ({ task, inputs }) => {
      const { batch, size, inputs: from, outputs: to, kernel, gradients } = task;
      const given = inputs();
      const places = size - kernel + 1;
      const x = tf.tensor4d(given.x, [batch, size, size, from]);
      const w = tf.tensor4d(given.w, [kernel, kernel, from, to]);
      const g = tf.tensor4d(given.g, [batch, places, places, to]);
      const convolve = (p: tf.Tensor, q: tf.Tensor) =>
        tf.conv2d(p as tf.Tensor4D, q as tf.Tensor4D, 1, "valid");
      if (!gradients) return prepared([x, w, g], () => [convolve(x, w)]);
      const both = tf.valueAndGrads((p, q) => tf.sum(tf.mul(convolve(p, q), g)));
      const compute = () => {
        const { value, grads } = both([x, w]);
        return [value, ...grads];
      };
      return prepared([x, w, g], compute, (lists) => joinConvolution(lists, task));
    },
    infer: ({ task: { network } }) => {
      const parameters = makeParameters(network);
      const [{ images }] = firstBatches(network, 1);
      const x = tf.tensor2d(images, [network.batchSize, network.sizes[0]]);
      return prepared([x, ...parameters], () => [forward(network, parameters, x)]);
    },
  });
}

/** As `chain` in references.ts. */
function chain(x: tf.Tensor1D): tf.Tensor {
  const d = tf.sub(tf.mul(tf.add(tf.mul(x, 0.5), 1), x), 0.25);
  return tf.add(tf.square(tf.mul(tf.sigmoid(d), d)), x);
}

type Join = (outputs: ArrayLike<number>[]) => ArrayLike<number>;

function prepared(
  operands: readonly tf.Tensor[],
  compute: () => tf.Tensor[],
  join: Join = ([y]) => y,
): Prepared {
  const enqueue = () => tf.tidy(compute);
  return {
    result: async () => {
      const outputs = enqueue();
      const values = await Promise.all(outputs.map((y) => y.data()));
      tf.dispose(outputs);
      return join(values);
    },
    run: async (times) => {
      for (let i = 1; i < times; i++) tf.dispose(enqueue());
      const outputs = enqueue();
      const one = tf.tidy(() => tf.slice1d(tf.reshape(outputs[0], [-1]), 0, 1));
      await one.data();
      tf.dispose([one, ...outputs]);
    },
    dispose: () => tf.dispose([...operands]),
  };
}

/** Weight and bias of each layer in order. */
function makeParameters(network: Network): tf.Variable[] {
  return initialLayers(network).flatMap(({ inputs, outputs, weight, bias }) => [
    tf.variable(tf.tensor2d(weight, [inputs, outputs])),
    tf.variable(tf.tensor1d(bias)),
  ]);
}

function forward(network: Network, parameters: readonly tf.Tensor[], x: tf.Tensor): tf.Tensor {
  const activate = network.activation === "relu" ? tf.relu : tf.sigmoid;
  let y = x;
  for (let i = 0; i < parameters.length; i += 2) {
    y = tf.add(tf.matMul(i > 0 ? activate(y) : y, parameters[i]), parameters[i + 1]);
  }
  return y;
}

function steps(network: Network, count?: number): Steps<tf.Scalar> {
  const { learningRate, batchSize, sizes } = network;
  const parameters = makeParameters(network);
  const optimizer =
    network.optimizer === "adam"
      ? tf.train.adam(learningRate, ADAM.beta1, ADAM.beta2, ADAM.epsilon)
      : tf.train.sgd(learningRate);
  const batches = firstBatches(network, count).map(({ images, oneHot }) => ({
    images: tf.tensor2d(images, [batchSize, sizes[0]]),
    targets: tf.tensor2d(oneHot, [batchSize, sizes[sizes.length - 1]]),
  }));
  return stepsOf({
    parameters,
    optimizer,
    batches,
    lossOf: ({ images, targets }) => meanLoss(targets, forward(network, parameters, images)),
  });
}
