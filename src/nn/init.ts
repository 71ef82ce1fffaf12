import { checkFinite, checkPositive, checkSurplus } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import type { Key } from "../core/random.ts";
import type { Shape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import type { Tensor } from "../graph/tensor.ts";
import { full } from "../ops/creation.ts";
import { randomNormal, randomUniform } from "../ops/random.ts";

/** What an initialiser is told about the weights it makes. */
export interface InitContext {
  /** How many inputs each output is computed from. */
  readonly fanIn: number;
  /** How many outputs each input takes part in. */
  readonly fanOut: number;
  /** Where random numbers come from; the running default sequence when left out. */
  readonly key?: Key;
  readonly device?: Device;
  readonly dtype?: DType;
}

/** Makes initial weights of a shape. */
export type Initializer = (shape: Shape, context: InitContext) => Tensor;

/** Makes zeros. */
export const zerosInit: Initializer = (shape, { device, dtype }) =>
  full(shape, 0, { device, dtype });

/** Makes weights that all have one value. */
export function constant(value: number, ...surplus: never[]): Initializer {
  checkSurplus("constant(value)", surplus);
  return (shape, { device, dtype }) => full(shape, value, { device, dtype });
}

/** Draws from N(0, std²). */
export function normal(std: number, ...surplus: never[]): Initializer {
  checkSurplus("normal(std)", surplus);
  checkPositive("normal", { std });
  return (shape, { key, device, dtype }) => randomNormal(shape, { std, key, device, dtype });
}

/**
 * Draws from U[−a, a), a = gain · √(6 / (fanIn + fanOut)).
 * Source: Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural
 * networks", eq. 16.
 */
export function xavierUniform(gain = 1, ...surplus: never[]): Initializer {
  checkSurplus("xavierUniform(gain)", surplus);
  checkPositive("xavierUniform", { gain });
  return uniformOf(({ fanIn, fanOut }) => gain * Math.sqrt(6 / (fanIn + fanOut)));
}

/**
 * Draws from N(0, std²), std = gain · √(2 / (fanIn + fanOut)): the variance of `xavierUniform`.
 * Source: Glorot & Bengio 2010, eq. 12.
 */
export function xavierNormal(gain = 1, ...surplus: never[]): Initializer {
  checkSurplus("xavierNormal(gain)", surplus);
  checkPositive("xavierNormal", { gain });
  return normalOf(({ fanIn, fanOut }) => gain * Math.sqrt(2 / (fanIn + fanOut)));
}

/**
 * Draws from N(0, std²), std = √(2 / ((1 + slope²) · fanIn)), for layers before a ReLU, or one that is
 * leaky by `slope`.
 * Source: He et al. 2015, "Delving deep into rectifiers", eq. 10 and 15.
 */
export function heNormal(slope = 0, ...surplus: never[]): Initializer {
  checkSurplus("heNormal(slope)", surplus);
  checkFinite("heNormal", { slope });
  return normalOf(({ fanIn }) => Math.sqrt(2 / ((1 + slope ** 2) * fanIn)));
}

/**
 * Draws from U[−a, a), a = √(6 / ((1 + slope²) · fanIn)): the variance of `heNormal`. PyTorch's layers
 * begin with a slope of √5: a = 1 / √fanIn.
 */
export function heUniform(slope = 0, ...surplus: never[]): Initializer {
  checkSurplus("heUniform(slope)", surplus);
  checkFinite("heUniform", { slope });
  return uniformOf(({ fanIn }) => Math.sqrt(6 / ((1 + slope ** 2) * fanIn)));
}

function uniformOf(bound: (context: InitContext) => number): Initializer {
  return (shape, context) => {
    const { key, device, dtype } = context;
    const a = bound(context);
    return randomUniform(shape, { low: -a, high: a, key, device, dtype });
  };
}

function normalOf(deviation: (context: InitContext) => number): Initializer {
  return (shape, context) => {
    const { key, device, dtype } = context;
    return randomNormal(shape, { std: deviation(context), key, device, dtype });
  };
}
