import {
  elu,
  gelu,
  leakyRelu,
  mish,
  relu,
  reshape,
  sigmoid,
  silu,
  sin,
  type Tensor,
  tanh,
} from "gradus";
import {
  AvgPool2d,
  Conv2d,
  Dropout,
  Flatten,
  heNormal,
  type Layer,
  Linear,
  MaxPool2d,
  Sequential,
  xavierNormal,
} from "gradus/nn";
import type { Chosen } from "./choices.ts";

type Activation = Chosen["activation"];

const FUNCTIONS: Readonly<Record<Activation, (x: Tensor) => Tensor>> = {
  relu,
  leakyRelu: (x) => leakyRelu(x),
  elu: (x) => elu(x),
  gelu: (x) => gelu(x),
  silu,
  mish,
  tanh,
  sigmoid,
  sin,
  linear: (x) => x,
};

/** What a network is made of. */
export interface NetworkSettings
  extends Pick<Chosen, "activation" | "dropout" | "kernel" | "pooling" | "seed"> {
  /** How many filters each convolution has; none for rows of numbers. */
  readonly filters: readonly number[];
  /** How many neurons each hidden layer has. */
  readonly hidden: readonly number[];
}

/** A network of convolutions and dense layers: its weights' spread suits the function behind them. */
export function network(inputs: number, outputs: number, settings: NetworkSettings): Sequential {
  // #region network
  const { activation, dropout, filters, hidden, kernel, pooling, seed } = settings;
  const isHalved = !["tanh", "sigmoid", "sin", "linear"].includes(activation);
  const weightInit = isHalved ? heNormal() : xavierNormal(activation === "sin" ? 3 : 5 / 3);
  const layers: [string, Layer][] = [];
  let next = seed;
  let width = inputs;
  if (filters.length > 0) {
    let [channels, side] = [1, Math.sqrt(inputs)];
    layers.push(["picture", (x) => reshape(x, [x.shape[0], 1, 28, 28])]);
    for (const [i, count] of filters.entries()) {
      const name = `convolution${i + 1}`;
      const options = { padding: "same", weightInit, seed: next++ } as const;
      layers.push([name, new Conv2d(channels, count, Number(kernel), options)]);
      layers.push([`${name}Activation`, FUNCTIONS[activation]]);
      layers.push([`pooling${i + 1}`, pooling === "max" ? new MaxPool2d(2) : new AvgPool2d(2)]);
      [channels, side] = [count, Math.floor(side / 2)];
    }
    layers.push(["row", new Flatten()]);
    width = channels * side ** 2;
  }
  for (const [i, size] of hidden.entries()) {
    const name = `hidden${i + 1}`;
    layers.push([name, new Linear(width, size, { weightInit, seed: next })]);
    layers.push([`${name}Activation`, FUNCTIONS[activation]]);
    if (dropout > 0) layers.push([`${name}Dropout`, new Dropout(dropout, { seed: next })]);
    width = size;
    next++;
  }
  layers.push(["output", new Linear(width, outputs, { seed: next })]);
  return new Sequential(Object.fromEntries(layers));
  // #endregion
}
