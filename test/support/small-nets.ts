import { BatchSampler, TensorDataset } from "../../src/data/index.ts";
import { randomNormal, type State, type Tensor, tensor } from "../../src/index.ts";
import {
  binaryCrossEntropyWithLogits,
  crossEntropy,
  meanSquaredError,
} from "../../src/losses/index.ts";
import { Linear, type Module, ReLU, Sequential, Sigmoid, Tanh } from "../../src/nn/index.ts";
import { Adam, SGD } from "../../src/optim/index.ts";
import { GeneticAlgorithm, lossPerIndividual, trainStep } from "../../src/train/index.ts";

/** Something that one workgroup trains. */
export interface SmallRun {
  prepare(): Promise<unknown>;
  step(): unknown;
  /** All that a step changes and a user sees. */
  values(): Promise<readonly ArrayLike<number>[]>;
}

interface Batch {
  readonly x: Tensor;
  readonly y: Tensor;
}

type Loss = (model: Sequential, batch: Batch) => Tensor;

const sgd = (model: Module) => new SGD(model.parameters(), { learningRate: 0.5 });
const momentum = (model: Module) =>
  new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 });
const adam = (model: Module) => new Adam(model.parameters(), { learningRate: 0.01 });

function net(activation: () => Module, ...sizes: number[]): Sequential {
  const layers = sizes.slice(1).flatMap((size, i) => {
    const layer = new Linear(sizes[i], size, { seed: i + 1 });
    return i === sizes.length - 2 ? [layer] : [layer, activation()];
  });
  return new Sequential(...layers);
}

function xor(): Batch {
  const x = tensor([0, 0, 0, 1, 1, 0, 1, 1], { shape: [4, 2] });
  return { x, y: tensor([0, 1, 1, 0], { shape: [4, 1] }) };
}

/** `count` flowers of three kinds, more or less. */
function flowers(count: number): Batch {
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  return { x: randomNormal([count, 4], { seed: 3 }), y: tensor(labels) };
}

/** Points of two spirals. */
function spirals(count: number): Batch {
  const points = Array.from({ length: count }, (_, i) => {
    const [turn, sign] = [(i >> 1) / 16, i % 2 ? -1 : 1];
    return [sign * turn * Math.sin(turn) + 0.3, sign * turn * Math.cos(turn)];
  });
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  return { x: tensor(points), y: tensor(labels) };
}

const squares: Loss = (model, { x, y }) => meanSquaredError(model.call(x), y);
const classes: Loss = (model, { x, y }) => crossEntropy(model.call(x), y);
const logits: Loss = (model, { x, y }) => binaryCrossEntropyWithLogits(model.call(x), y);

/** Steps on a batch that is given. */
function given(
  model: Sequential,
  optimizer: (model: Module) => SGD | Adam,
  loss: Loss,
  batch: Batch,
): SmallRun {
  const own = optimizer(model);
  const step = trainStep<Sequential, Batch>({ model, optimizer: own, loss, mirrorEvery: null });
  return {
    prepare: () => step.prepare(batch),
    step: () => step(batch),
    values: () => valuesOf(model, own),
  };
}

/** Steps on shuffled batches of a data set on the device. */
function shuffled(
  model: Sequential,
  optimizer: (model: Module) => SGD | Adam,
  loss: Loss,
  { x, y }: Batch,
  batchSize: number,
): SmallRun {
  const data = new TensorDataset({ x, y });
  const [size] = x.shape;
  const sampler = new BatchSampler({ size, batchSize, seed: 1, dropLast: true });
  const batchAt = (at: Tensor) => data.batchAt(at, sampler);
  const own = optimizer(model);
  const options = { model, optimizer: own, loss, batchAt, mirrorEvery: null };
  const step = trainStep<Sequential, Batch>(options);
  return { prepare: () => step.prepare(), step: () => step(), values: () => valuesOf(model, own) };
}

const valuesOf = (model: Module, optimizer: SGD | Adam) =>
  dataOf([...model.parameters().values(), ...optimizer.state().values()]);

function dataOf(states: Iterable<State>): Promise<readonly ArrayLike<number>[]> {
  return Promise.all([...states].map((state) => state.data()));
}

/** Generations of a genetic algorithm. */
function generations(
  model: Sequential,
  loss: (model: Sequential, batch: Batch) => Tensor,
  batch: Batch,
  populationSize: number,
): SmallRun {
  const search = new GeneticAlgorithm({ model, loss, populationSize });
  return {
    prepare: () => search.prepare(batch),
    step: () => search.step(batch),
    values: async () => {
      search.loadBest();
      return [await search.losses.data(), ...(await dataOf(model.parameters().values()))];
    },
  };
}

/** Runs that one workgroup computes, by what they are. */
export const SMALL_RUNS: Readonly<Record<string, () => SmallRun>> = {
  "XOR 2-4-1, SGD": () =>
    given(
      net(() => new Sigmoid(), 2, 4, 1),
      sgd,
      squares,
      xor(),
    ),
  "XOR 2-4-1, Adam": () =>
    given(
      net(() => new Tanh(), 2, 4, 1),
      adam,
      logits,
      xor(),
    ),
  "iris 4-8-3, momentum": () =>
    given(
      net(() => new ReLU(), 4, 8, 3),
      momentum,
      classes,
      flowers(30),
    ),
  "iris 4-8-3, Adam, all 150": () =>
    given(
      net(() => new ReLU(), 4, 8, 3),
      adam,
      classes,
      flowers(150),
    ),
  "iris 4-8-3, Adam, shuffled batches of 16": () =>
    shuffled(
      net(() => new ReLU(), 4, 8, 3),
      adam,
      classes,
      flowers(150),
      16,
    ),
  "two spirals 2-16-16-2, Adam": () =>
    given(
      net(() => new Tanh(), 2, 16, 16, 2),
      adam,
      classes,
      spirals(64),
    ),
  "two spirals 2-16-16-2, Adam, shuffled batches of 64": () =>
    shuffled(
      net(() => new Tanh(), 2, 16, 16, 2),
      adam,
      classes,
      spirals(192),
      64,
    ),
  "20 individuals for XOR, 2-4-1": () => {
    const loss: Loss = (own, { x, y }) => lossPerIndividual(meanSquaredError, own.call(x), y);
    return generations(
      net(() => new Tanh(), 2, 4, 1),
      loss,
      xor(),
      20,
    );
  },
};
