import { elu, gelu, leakyRelu, mish, relu, sigmoid, silu, sin, type Tensor, tanh } from "gradus";
import { Dropout, heNormal, type Layer, Linear, Sequential, xavierNormal } from "gradus/nn";
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

/** A network of dense layers: its weights' spread suits the function behind them. */
export function denseNetwork(
  inputs: number,
  hidden: readonly number[],
  outputs: number,
  { activation, dropout, seed }: { activation: Activation; dropout: number; seed: number },
): Sequential {
  // #region network
  const isHalved = !["tanh", "sigmoid", "sin", "linear"].includes(activation);
  const weightInit = isHalved ? heNormal() : xavierNormal(activation === "sin" ? 3 : 5 / 3);
  const layers: [string, Layer][] = [];
  let width = inputs;
  for (const [i, size] of hidden.entries()) {
    const name = `hidden${i + 1}`;
    layers.push([name, new Linear(width, size, { weightInit, seed: seed + i })]);
    layers.push([`${name}Activation`, FUNCTIONS[activation]]);
    if (dropout > 0) layers.push([`${name}Dropout`, new Dropout(dropout, { seed: seed + i })]);
    width = size;
  }
  layers.push(["output", new Linear(width, outputs, { seed: seed + hidden.length })]);
  return new Sequential(Object.fromEntries(layers));
  // #endregion
}
