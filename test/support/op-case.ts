import { convert, type DType, isHalf } from "../../src/core/dtype.ts";
import { numberHeld } from "../../src/core/halves.ts";
import { foldIn, keyFromSeed, randomBits, uniformFromBits } from "../../src/core/random.ts";
import { sizeOf } from "../../src/core/shape.ts";
import {
  type Device,
  DTypeError,
  type GradusError,
  type NestedArray,
  ShapeError,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import type * as ops from "../../src/ops/index.ts";

/** A random input: uniform in [low, high), whole numbers unless a float. */
export interface Input {
  shape: readonly number[];
  dtype?: DType;
  low?: number;
  high?: number;
}

/** A call on random inputs, for gradient checks and for parity between the devices. */
export interface Call {
  inputs: readonly Input[];
  run(...x: Tensor[]): Tensor;
  /** What the absolute tolerance of 1e-6 is multiplied with, from the sizes; 1 when left out. */
  scale?: number;
  /** The same for inputs of one number along the last axis; `scale` when left out. */
  equalScale?: number;
}

/** Makes a tensor of literal values on the device and in the float dtype under test. */
export type Make = (values: NestedArray | readonly boolean[], dtype?: DType) => Tensor;

/** A call with its expected values, and how those were made. */
export interface Golden {
  run(t: Make): Tensor;
  is: NestedArray;
  by: string;
}

/** A call that must be rejected, with its whole message. */
export interface Reject {
  run(t: Make): unknown;
  says: string;
  /** The error's class, where `errorOf` does not find it. */
  error?: typeof GradusError;
}

/** The class of a rejection's error: of dtypes where the message is about one, else of shapes. */
export function errorOf({ says, error }: Reject): typeof GradusError {
  return error ?? (says.split(";")[0].includes("dtype") ? DTypeError : ShapeError);
}

/** Everything that is tested of one op. */
export interface OpCase {
  calls: readonly Call[];
  golden: readonly Golden[];
  rejects: readonly Reject[];
  /** Whether the op has a gradient; else why not. */
  gradient: true | string;
}

/** Rows of some ops by their names. */
export type OpCases = Partial<Record<keyof typeof ops, OpCase>>;

/** Draws the inputs of a call as f32-exact numbers, the same for every device. */
export function draw(call: Call, seed: number): Float64Array[] {
  return call.inputs.map(({ shape, dtype = "f32", low = -1, high = 1 }, i) => {
    const bits = randomBits(foldIn(keyFromSeed(seed), i), sizeOf(shape));
    return Float64Array.from(bits, (b) => {
      const value = low + uniformFromBits(b) * (high - low);
      if (dtype === "f32") return Math.fround(value);
      const element = convert(isHalf(dtype) ? value : Math.floor(value), dtype);
      return numberHeld(element, dtype);
    });
  });
}

/** Puts drawn values on a device; floats as `float`. */
export function place(
  call: Call,
  values: readonly Float64Array[],
  device: Device,
  float: "f32" | "f64",
): Tensor[] {
  return call.inputs.map(({ shape, dtype = "f32" }, i) =>
    tensor(values[i], { shape, device, dtype: dtype === "f32" ? float : dtype }),
  );
}

/** Which inputs of a call have gradients. */
export function floats<T>(call: Call, items: readonly T[]): T[] {
  return items.filter((_, i) => (call.inputs[i].dtype ?? "f32") === "f32");
}

/** The error that is allowed: 1e-5 relative and 1e-6 absolute, times the call's scale. */
export function tolerance(expected: number, scale = 1): number {
  return 1e-5 * Math.abs(expected) + 1e-6 * scale;
}
