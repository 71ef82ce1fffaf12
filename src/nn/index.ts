export { ReLU, Sigmoid, Softplus, Tanh } from "./activations.ts";
export {
  constant,
  heNormal,
  heUniform,
  type InitContext,
  type Initializer,
  normal,
  xavierNormal,
  xavierUniform,
  zerosInit,
} from "./init.ts";
export { Linear, type LinearOptions } from "./linear.ts";
export { loadState } from "./load-state.ts";
export { Module } from "./module.ts";
export { type Layer, Sequential } from "./sequential.ts";
