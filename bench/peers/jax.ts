import { defaultDevice, init, jit, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { CHECKED_STEPS } from "../workloads/index.ts";
import { ADAM, firstBatches, initialLayers, type Network } from "../workloads/networks.ts";
import { joinLoss } from "../workloads/references.ts";
import { type Peer, type Prepared, peerOf, preparedSteps, type Steps } from "./peer.ts";

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
    firstStep: ({ task: { network } }) => preparedSteps(steps(network, 1), 1),
    infer: ({ task: { network } }) => {
      const [{ images }] = firstBatches(network, 1);
      const x = array(images, [network.batchSize, network.sizes[0]]);
      return prepared([x, ...makeParameters(network)], (batch, ...parameters) => [
        forward(network, parameters, batch),
      ]);
    },
  });
}

function array(data: Float32Array | Int32Array, shape: number[]): np.Array {
  return np.array(data as Float32Array<ArrayBuffer>, { shape });
}

/** As `chain` in references.ts. */
function chain(x: np.Array): np.Array {
  const d = x.ref.mul(0.5).add(1).mul(x.ref).sub(0.25);
  return np.square(nn.sigmoid(d.ref).mul(d)).add(x);
}

function meanLoss(logits: np.Array, targets: np.Array): np.Array {
  return np.mean(np.sum(nn.logSoftmax(logits, 1).mul(targets), 1)).neg();
}

type Join = (outputs: ArrayLike<number>[]) => ArrayLike<number>;

/** Hands an array's work to the device, without waiting for it on WebGPU, and frees the array. */
async function submit(x: np.Array): Promise<void> {
  if (x.device === "webgpu") await x.gpuBuffer();
  else (await x.blockUntilReady()).dispose();
}

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

/** All that a step changes: parameters, and Adam's moments and β₁ᵗ, β₂ᵗ. */
type State = { parameters: np.Array[]; first: np.Array[]; second: np.Array[]; powers: np.Array[] };

function initialState(network: Network): State {
  const parameters = makeParameters(network);
  const isAdam = network.optimizer === "adam";
  const slots = () => (isAdam ? parameters.map((p) => np.zeros(p.shape)) : []);
  const powers = isAdam ? [np.array(1), np.array(1)] : [];
  return { parameters, first: slots(), second: slots(), powers };
}

function descend({ learningRate }: Network, state: State, gradients: np.Array[]): State {
  const parameters = state.parameters.map((p, i) => p.sub(gradients[i].mul(learningRate)));
  return { ...state, parameters };
}

/** Adam as the other libraries compute it. */
function adam({ learningRate }: Network, state: State, gradients: np.Array[]): State {
  const { beta1, beta2, epsilon } = ADAM;
  const powers = [state.powers[0].mul(beta1), state.powers[1].mul(beta2)];
  const next: State = { parameters: [], first: [], second: [], powers };
  state.parameters.forEach((p, i) => {
    const g = gradients[i];
    const m = state.first[i].mul(beta1).add(g.ref.mul(1 - beta1));
    const v = state.second[i].mul(beta2).add(np.square(g).mul(1 - beta2));
    const corrected = v.ref.div(np.subtract(1, powers[1].ref));
    const direction = m.ref.div(np.subtract(1, powers[0].ref)).div(np.sqrt(corrected).add(epsilon));
    next.parameters.push(p.sub(direction.mul(learningRate)));
    next.first.push(m);
    next.second.push(v);
  });
  return next;
}

function steps(network: Network, count?: number): Steps<np.Array> {
  const { batchSize, sizes } = network;
  const update = network.optimizer === "adam" ? adam : descend;
  const lossOf = (parameters: np.Array[], images: np.Array, targets: np.Array) =>
    meanLoss(forward(network, parameters, images), targets);
  const step = jit((state: State, images: np.Array, targets: np.Array) => {
    const kept = state.parameters.map((p) => p.ref);
    const [loss, gradients] = valueAndGrad(lossOf)(kept, images, targets);
    return [loss, update(network, state, gradients as np.Array[])] as [np.Array, State];
  });
  const batches = firstBatches(network, count).map(({ images, oneHot }) => ({
    images: array(images, [batchSize, sizes[0]]),
    targets: array(oneHot, [batchSize, sizes[sizes.length - 1]]),
  }));
  let state = initialState(network);
  return {
    step: (number) => {
      const { images, targets } = batches[number % batches.length];
      const [loss, next] = step(state, images.ref, targets.ref) as [np.Array, State];
      state = next;
      return loss;
    },
    read: async (loss) => (await loss.data())[0],
    drop: submit,
    dispose: () => {
      const { parameters, first, second, powers } = state;
      const own = batches.flatMap((b) => [b.images, b.targets]);
      for (const x of [...parameters, ...first, ...second, ...powers, ...own]) x.dispose();
      step.dispose();
    },
  };
}
