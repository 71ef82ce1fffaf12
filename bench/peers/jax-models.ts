import { lax, nn, numpy as np } from "@jax-js/jax";
import {
  type ConvolutionalNet,
  type Gpt,
  initialParameters,
  type Model,
  NORM_EPSILON,
  pictureBatches,
  tokenBatches,
} from "../workloads/models.ts";
import { BATCHES } from "../workloads/networks.ts";
import { oneHotRows } from "../workloads/random.ts";
import { array, meanLoss, stepsOf } from "./jax-steps.ts";
import type { Steps } from "./peer.ts";

/** Steps of training of a model, each in one `jit`. */
export function modelSteps(model: Model): Steps<np.Array> {
  const rule = { optimizer: "adam", learningRate: model.learningRate } as const;
  const given = initialParameters(model).map(({ shape, data }) => array(data, shape));
  return model.kind === "gpt"
    ? stepsOf(rule, given, sequences(model), (parameters, tokens, targets) =>
        meanLoss(transformed(model, parameters, tokens), targets),
      )
    : stepsOf(rule, channelsFirst(model, given), pictures(model), (parameters, images, targets) =>
        meanLoss(recognised(parameters, images), targets),
      );
}

function pictures(model: ConvolutionalNet) {
  const { size, classes, batchSize } = model;
  return pictureBatches(model).map(({ images, oneHot }) => ({
    inputs: array(images, [batchSize, 1, size, size]),
    targets: array(oneHot, [batchSize, classes]),
  }));
}

/** Channels come before pixels here: kernels `[outputs, inputs, 3, 3]`, and the last layer's inputs so. */
function channelsFirst({ size, channels, classes }: ConvolutionalNet, given: np.Array[]) {
  const side = size / 2 ** channels.length;
  return given.map((x, i) => {
    if (x.ndim === 4) return np.transpose(x, [3, 2, 0, 1]);
    if (i !== given.length - 2) return x;
    const ofPixels = x.reshape([side ** 2, channels[channels.length - 1], classes]);
    return np.transpose(ofPixels, [1, 0, 2]).reshape([-1, classes]);
  });
}

function recognised(parameters: readonly np.Array[], images: np.Array): np.Array {
  let x = images;
  for (let i = 0; i < parameters.length - 2; i += 2) {
    const bias = parameters[i + 1].reshape([-1, 1, 1]);
    const y = nn.relu(lax.conv(x, parameters[i], [1, 1], "SAME").add(bias));
    const [n, channels, size] = y.shape;
    x = np.max(y.reshape([n, channels, size / 2, 2, size / 2, 2]), [3, 5]);
  }
  return dense(x.reshape([x.shape[0], -1]), parameters.slice(-2));
}

/** Tokens too are rows of zeros with a one, since `jit` refuses the gradient of a gather. */
function sequences(model: Gpt) {
  const { vocabulary, length, batchSize } = model;
  const rows = (ids: Int32Array) =>
    array(oneHotRows(ids, vocabulary), [batchSize * length, vocabulary]);
  return tokenBatches(model, BATCHES).map(({ tokens, next }) => ({
    inputs: rows(tokens),
    targets: rows(next),
  }));
}

function transformed(model: Gpt, parameters: readonly np.Array[], tokens: np.Array): np.Array {
  const { batchSize, length, width, blocks } = model;
  const rest = [...parameters];
  const [table, positions] = rest.splice(0, 2);
  const ofEach = np.matmul(tokens, table.ref).reshape([batchSize, length, width]);
  let x = ofEach.add(positions).reshape([batchSize * length, width]);
  for (let i = 0; i < blocks; i++) {
    const all = dense(normalized(x.ref, rest.splice(0, 2)), rest.splice(0, 2));
    x = x.add(dense(attended(model, all), rest.splice(0, 2)));
    const hidden = dense(normalized(x.ref, rest.splice(0, 2)), rest.splice(0, 2));
    x = x.add(dense(nn.gelu(hidden, { approximate: false }), rest.splice(0, 2)));
  }
  return np.matmul(normalized(x, rest), np.transpose(table));
}

function dense(x: np.Array, [weight, bias]: readonly np.Array[]): np.Array {
  return np.matmul(x, weight).add(bias);
}

function normalized(x: np.Array, [scale, shift]: readonly np.Array[]): np.Array {
  return nn.standardize(x, -1, { epsilon: NORM_EPSILON }).mul(scale).add(shift);
}

/** Causal attention of rows of queries, keys and values beside each other. */
function attended({ batchSize, length, width, heads }: Gpt, x: np.Array): np.Array {
  const [q, k, v] = np.split(x, 3, 1).map((part) => {
    const ofHeads = part.reshape([batchSize, length, heads, width / heads]);
    return np.transpose(ofHeads, [0, 2, 1, 3]);
  });
  const scores = np.matmul(q, np.transpose(k, [0, 1, 3, 2])).mul(1 / Math.sqrt(width / heads));
  const isSeen = np.tri(length, length, 0, { dtype: np.bool });
  const weights = nn.softmax(np.where(isSeen, scores, Number.NEGATIVE_INFINITY), -1);
  return np.transpose(np.matmul(weights, v), [0, 2, 1, 3]).reshape([-1, width]);
}
