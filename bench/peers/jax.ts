import { defaultDevice, init, jit, lax, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { heldOutDigits } from "../workloads/digits.ts";
import { CHECKED_MODEL_STEPS, CHECKED_STEPS } from "../workloads/index.ts";
import { firstBatches, initialLayers, type Network } from "../workloads/networks.ts";
import { joinConvolution, joinLoss } from "../workloads/references.ts";
import { modelSteps } from "./jax-models.ts";
import {
  array,
  arraysOf,
  initialState,
  type Loss,
  makeStep,
  meanLoss,
  type State,
  stepsOf,
  submit,
} from "./jax-steps.ts";
import {
  type Learner,
  type Peer,
  type Prepared,
  peerOf,
  preparedLearning,
  preparedSteps,
  type Steps,
} from "./peer.ts";

/**
 * jax-js with the whole computation in one `jit`. Passing an array to a function gives it away;
 * `.ref` keeps it.
 */
export async function createJax(kind: "webgpu" | "wasm"): Promise<Peer> {
  const started = await init(kind);
  if (!started.includes(kind)) throw new Error(`jax-js: the ${kind} backend could not be started`);
  defaultDevice(kind);
  return peerOf(`jax-js ${kind}`, {
    matmul: ({ task: { m, k, n, transposed }, inputs }) => {
      const { a, b } = inputs();
      const x = array(a, transposed === "a" ? [k, m] : [m, k]);
      const w = array(b, transposed === "b" ? [n, k] : [k, n]);
      const product = (p: np.Array, q: np.Array) => [
        np.matmul(transposed === "a" ? p.transpose() : p, transposed === "b" ? q.transpose() : q),
      ];
      return prepared([x, w], product);
    },
    chain: ({ inputs }) => {
      const { x } = inputs();
      return prepared([array(x, [x.length])], (p) => [chain(p)]);
    },
    softmax: ({ task: { rows, columns }, inputs }) =>
      prepared([array(inputs().x, [rows, columns])], (x) => [nn.softmax(x, 1)]),
    sum: ({ task: { rows, columns, of }, inputs }) =>
      prepared([array(inputs().x, [rows, columns])], (x) => [
        of === "all" ? np.sum(x) : np.sum(x, 1),
      ]),
    crossEntropy: ({ task: { rows, columns }, inputs }) => {
      const given = inputs();
      const operands = [array(given.logits, [rows, columns]), array(given.oneHot, [rows, columns])];
      const both = (logits: np.Array, targets: np.Array) => valueAndGrad(meanLoss)(logits, targets);
      return prepared(operands, both, ([loss, dz]) => joinLoss(loss[0], dz, rows));
    },
    train: ({ task: { network } }) => preparedSteps(steps(network), CHECKED_STEPS),
    trainModel: ({ task: { model } }) => preparedSteps(modelSteps(model), CHECKED_MODEL_STEPS),
    firstStep: ({ task: { network } }) => preparedSteps(steps(network, 1), 1),
    learn: ({ task: { network } }) =>
      preparedLearning(network, CHECKED_STEPS, () => learner(network)),
    peak: null,
    convolution: ({ task, inputs }) => {
      const { batch, size, inputs: from, outputs: to, kernel, gradients } = task;
      const given = inputs();
      const places = size - kernel + 1;
      // Channels come before pixels here.
      const x = array(permuted(given.x, [batch, size ** 2, from]), [batch, from, size, size]);
      const flat = permuted(given.w, [1, kernel ** 2 * from, to]); // [to, kernel², from]
      const w = array(permuted(flat, [to, kernel ** 2, from]), [to, from, kernel, kernel]);
      const g = array(permuted(given.g, [batch, places ** 2, to]), [batch, to, places, places]);
      const convolve = (p: np.Array, q: np.Array) => lax.conv(p, q, [1, 1], "VALID");
      const back = (y: ArrayLike<number>, n: number, channels: number) =>
        permuted(y, [n, channels, y.length / n / channels]);
      if (!gradients) {
        g.dispose();
        return prepared(
          [x, w],
          (p, q) => [convolve(p, q)],
          ([y]) => back(y, batch, to),
        );
      }
      const lossOf = ([p, q]: np.Array[], slope: np.Array) => np.sum(convolve(p, q).mul(slope));
      const both = (p: np.Array, q: np.Array, slope: np.Array) => {
        const [loss, [dx, dw]] = valueAndGrad(lossOf)([p, q], slope);
        return [loss, dx, dw];
      };
      return prepared([x, w, g], both, ([loss, dx, dw]) => {
        const kernels = permuted(back(dw, to, from), [1, to, kernel ** 2 * from]);
        return joinConvolution([loss, back(dx, batch, from), kernels], task);
      });
    },
    infer: ({ task: { network } }) => {
      const [{ images }] = firstBatches(network, 1);
      const x = array(images, [network.batchSize, network.sizes[0]]);
      return prepared([x, ...makeParameters(network)], (batch, ...parameters) => [
        forward(network, parameters, batch),
      ]);
    },
  });
}

/** Swaps the last two axes of `[n, a, b]`. */
function permuted(x: ArrayLike<number>, [n, a, b]: readonly number[]): Float32Array {
  const y = new Float32Array(x.length);
  for (let i = 0; i < n * a * b; i++) {
    const [block, row, column] = [Math.floor(i / (a * b)), Math.floor(i / b) % a, i % b];
    y[(block * b + column) * a + row] = x[i];
  }
  return y;
}

/** As `chain` in references.ts. */
function chain(x: np.Array): np.Array {
  const d = x.ref.mul(0.5).add(1).mul(x.ref).sub(0.25);
  return np.square(nn.sigmoid(d.ref).mul(d)).add(x);
}

type Join = (outputs: ArrayLike<number>[]) => ArrayLike<number>;

function prepared(
  operands: readonly np.Array[],
  compute: (...operands: np.Array[]) => np.Array[],
  join: Join = ([y]) => y,
): Prepared {
  const compiled = jit(compute);
  const call = () => compiled(...operands.map((x) => x.ref)) as np.Array[];
  return {
    result: async () => join(await Promise.all(call().map((y) => y.data()))),
    run: async (times) => {
      for (let i = 1; i < times; i++) for (const y of call()) await submit(y);
      const [y, ...others] = call();
      for (const other of others) await submit(other);
      await (y.ndim > 0 ? y.slice(...y.shape.map((): [number, number] => [0, 1])) : y).data();
    },
    dispose: () => {
      for (const x of operands) x.dispose();
      compiled.dispose();
    },
  };
}

/** Weight and bias of each layer in order. */
function makeParameters(network: Network): np.Array[] {
  return initialLayers(network).flatMap(({ inputs, outputs, weight, bias }) => [
    array(weight, [inputs, outputs]),
    array(bias, [outputs]),
  ]);
}

function forward(network: Network, parameters: readonly np.Array[], x: np.Array): np.Array {
  const activate = network.activation === "relu" ? nn.relu : nn.sigmoid;
  let y = x;
  for (let i = 0; i < parameters.length; i += 2) {
    y = np.matmul(i > 0 ? activate(y) : y, parameters[i]).add(parameters[i + 1]);
  }
  return y;
}

function lossOf(network: Network): Loss {
  return (parameters, images, targets) => meanLoss(forward(network, parameters, images), targets);
}

function steps(network: Network, count?: number): Steps<np.Array> {
  const { batchSize, sizes } = network;
  const batches = firstBatches(network, count).map(({ images, oneHot }) => ({
    inputs: array(images, [batchSize, sizes[0]]),
    targets: array(oneHot, [batchSize, sizes[sizes.length - 1]]),
  }));
  return stepsOf(network, makeParameters(network), batches, lossOf(network));
}

/** Trains on digits that are brought with each step. */
function learner(network: Network): Learner<np.Array> {
  const { batchSize, sizes } = network;
  const [features, classes] = [sizes[0], sizes[sizes.length - 1]];
  const step = makeStep(network, lossOf(network));
  const { images, labels } = heldOutDigits();
  const heldOut = array(images, [labels.length, features]);
  const infer = jit((x: np.Array, ...parameters: np.Array[]) =>
    np.argmax(forward(network, parameters, x), 1),
  );
  let state = initialState(makeParameters(network), network);
  return {
    step: (batch) => {
      const x = array(batch.images, [batchSize, features]);
      const targets = array(batch.oneHot, [batchSize, classes]);
      const [loss, next] = step(state, x, targets) as [np.Array, State];
      state = next;
      return loss;
    },
    read: async (loss) => (await loss.data())[0],
    drop: submit,
    accuracy: async () => {
      const parameters = state.parameters.map((p) => p.ref);
      const found = await (infer(heldOut.ref, ...parameters) as np.Array).data();
      return labels.reduce((sum, label, i) => sum + Number(found[i] === label), 0) / labels.length;
    },
    dispose: () => {
      for (const x of [...arraysOf(state), heldOut]) x.dispose();
      step.dispose();
      infer.dispose();
    },
  };
}
