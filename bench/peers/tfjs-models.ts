import * as tf from "@tensorflow/tfjs-core";
import {
  type ConvolutionalNet,
  type Gpt,
  initialParameters,
  type Model,
  NORM_EPSILON,
  pictureBatches,
  tokenBatches,
} from "../workloads/models.ts";
import { ADAM, BATCHES } from "../workloads/networks.ts";
import { oneHotRows } from "../workloads/random.ts";
import type { Steps } from "./peer.ts";
import { meanLoss, stepsOf } from "./tfjs-steps.ts";

/** Steps of training of a model. */
export function modelSteps(model: Model): Steps<tf.Scalar> {
  const parameters = initialParameters(model).map(({ shape, data }) =>
    tf.variable(tf.tensor(data, [...shape])),
  );
  const { beta1, beta2, epsilon } = ADAM;
  const optimizer = tf.train.adam(model.learningRate, beta1, beta2, epsilon);
  const own = { parameters, optimizer };
  return model.kind === "gpt"
    ? stepsOf({
        ...own,
        batches: sequences(model),
        lossOf: ({ tokens, next }) => meanLoss(next, transformed(model, parameters, tokens)),
      })
    : stepsOf({
        ...own,
        batches: pictures(model),
        lossOf: ({ images, targets }) => meanLoss(targets, recognised(parameters, images)),
      });
}

function pictures(model: ConvolutionalNet) {
  const { size, classes, batchSize } = model;
  return pictureBatches(model).map(({ images, oneHot }) => ({
    images: tf.tensor4d(images, [batchSize, size, size, 1]),
    targets: tf.tensor2d(oneHot, [batchSize, classes]),
  }));
}

/** Channels come last, as this library prefers it. */
function recognised(parameters: readonly tf.Tensor[], images: tf.Tensor4D): tf.Tensor {
  let x = images;
  for (let i = 0; i < parameters.length - 2; i += 2) {
    const y = tf.conv2d(x, parameters[i] as tf.Tensor4D, 1, "same");
    x = tf.maxPool(tf.relu(tf.add(y, parameters[i + 1])) as tf.Tensor4D, 2, 2, "valid");
  }
  return dense(tf.reshape(x, [x.shape[0], -1]), parameters.slice(-2));
}

/** Tokens too are rows of zeros with a one, since a gather has no gradient on every backend. */
function sequences(model: Gpt) {
  const { vocabulary, length, batchSize } = model;
  const rows = (ids: Int32Array) =>
    tf.tensor2d(oneHotRows(ids, vocabulary), [batchSize * length, vocabulary]);
  return tokenBatches(model, BATCHES).map(({ tokens, next }) => ({
    tokens: rows(tokens),
    next: rows(next),
  }));
}

function transformed(model: Gpt, parameters: readonly tf.Tensor[], tokens: tf.Tensor): tf.Tensor {
  const { batchSize, length, width, blocks } = model;
  const rest = [...parameters];
  const [table, positions] = rest.splice(0, 2);
  const ofEach = tf.reshape(tf.matMul(tokens, table), [batchSize, length, width]);
  let x = tf.reshape(tf.add(ofEach, positions), [batchSize * length, width]);
  for (let i = 0; i < blocks; i++) {
    const all = dense(normalized(x, rest.splice(0, 2)), rest.splice(0, 2));
    x = tf.add(x, dense(attended(model, all), rest.splice(0, 2)));
    const hidden = dense(normalized(x, rest.splice(0, 2)), rest.splice(0, 2));
    x = tf.add(x, dense(gelu(hidden), rest.splice(0, 2)));
  }
  return tf.matMul(normalized(x, rest), table, false, true);
}

function dense(x: tf.Tensor, [weight, bias]: readonly tf.Tensor[]): tf.Tensor {
  return tf.add(tf.matMul(x, weight), bias);
}

function normalized(x: tf.Tensor, [scale, shift]: readonly tf.Tensor[]): tf.Tensor {
  const { mean, variance } = tf.moments(x, -1, true);
  const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, NORM_EPSILON)));
  return tf.add(tf.mul(normal, scale), shift);
}

function gelu(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

/** Causal attention of rows of queries, keys and values beside each other. */
function attended({ batchSize, length, width, heads }: Gpt, x: tf.Tensor): tf.Tensor {
  const [q, k, v] = tf
    .split(x, 3, 1)
    .map((part) =>
      tf.transpose(tf.reshape(part, [batchSize, length, heads, width / heads]), [0, 2, 1, 3]),
    );
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(width / heads));
  const weights = tf.softmax(tf.add(scores, causalMask(length)));
  return tf.reshape(tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]), [-1, width]);
}

const masks = new Map<number, tf.Tensor>();

/** −1e9 for each row beside what follows it; made once. */
function causalMask(length: number): tf.Tensor {
  const mask = masks.get(length) ?? tf.keep(tf.tidy(() => maskOf(length)));
  masks.set(length, mask);
  return mask;
}

function maskOf(length: number): tf.Tensor {
  const values = Float32Array.from({ length: length ** 2 }, (_, i) =>
    i % length > Math.floor(i / length) ? -1e9 : 0,
  );
  return tf.tensor2d(values, [length, length]);
}
