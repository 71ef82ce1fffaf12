/** What random graphs and programs are made of. */
import { randomBits } from "../../src/core/random.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import { type Device, type State, type Tensor, tensor } from "../../src/index.ts";

/** A function of two tensors that changes states, and what it changes. */
export interface RandomProgram {
  readonly states: readonly State[];
  /** Gives values for one call's arguments. */
  inputs(call: number): [Tensor, Tensor];
  /** One call: may be compiled, or run as it is. */
  readonly body: (x: Tensor, y: Tensor) => Tensor[];
}

/** Gives whole numbers below n. */
export type Pick = (n: number) => number;

/** Sizes of axes around those at which kernels switch. */
export const SIDES = [1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 31, 32, 33, 64, 70];

/** Picks up to 2,000 numbers, the same for the same seed and stream. */
export function picker(seed: number, stream: number): Pick {
  const bits = randomBits([seed, stream], 2000);
  let used = 0;
  return (n) => bits[used++] % n;
}

/** Makes a tensor of smooth values in [−1, 1]. */
export function wave(shape: Shape, phase: number, device: Device, dtype: "f32" | "f64"): Tensor {
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(phase + 1.7 * i));
  return tensor(values, { shape, device, dtype });
}
