import { UNSEEDED } from "../core/advice.ts";
import {
  checkNumbers,
  checkOptions,
  checkSurplus,
  describeValue,
  isInteger,
  type Known,
} from "../core/check.ts";
import { allocate, DTYPES, type DType, expectDType } from "../core/dtype.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { inMemory } from "../core/host-memory.ts";
import {
  foldIn,
  givenKey,
  type Key,
  keyFromSeed,
  normals,
  permutation,
  randomBits,
  uniformFromBits,
} from "../core/random.ts";
import { checkShape, type Shape, sizeOf } from "../core/shape.ts";
import { checkDevice, defaultDevice } from "../graph/default-device.ts";
import type { Device } from "../graph/device.ts";
import { checkDType, sourceTensor, type Tensor } from "../graph/tensor.ts";
import { tracePurpose } from "../graph/tracing.ts";
import type { CreationOptions } from "./creation.ts";

/** Where random numbers come from: a seed or a key; the running default sequence when neither. */
export interface RandomOptions extends CreationOptions {
  /** A non-negative integer; the same seed gives the same numbers on every device. */
  seed?: number;
  /** A key, as `foldIn` derives them. */
  key?: Key;
}

const UNIFORM: Known<UniformOptions> = {
  low: true,
  high: true,
  seed: true,
  key: true,
  dtype: "string",
  device: true,
};
const NORMAL: Known<NormalOptions> = {
  mean: true,
  std: true,
  seed: true,
  key: true,
  dtype: "string",
  device: true,
};
const PERMUTATION: Known<Omit<RandomOptions, "dtype">> = {
  seed: "number",
  key: true,
  device: true,
};

/** A draw's range, [0, 1) when left out. */
export interface UniformOptions extends RandomOptions {
  low?: number;
  high?: number;
}

/** A draw's mean and standard deviation, 0 and 1 when left out. */
export interface NormalOptions extends RandomOptions {
  mean?: number;
  std?: number;
}

let sequence = { key: keyFromSeed(0), drawn: 0 };

/** Restarts the default sequence, from which calls without seed or key draw one after the other. */
export function setSeed(seed: number, ...surplus: never[]): void {
  checkSurplus("setSeed(seed)", surplus);
  sequence = { key: keyFromSeed(seed, "setSeed"), drawn: 0 };
}

/**
 * The key that options name, or the next one of the default sequence.
 * @throws GradusError for the latter in a function that is being compiled or mapped, which would get
 * the same numbers in each run.
 */
export function keyOf(op: string, options: RandomOptions): Key {
  const given = givenKey(op, options);
  if (given) return given;
  if (tracePurpose) {
    throw new GradusError(
      `${op}: called without seed or key in a function that is being ${tracePurpose}, whose runs would all ` +
        `have the same numbers; expected uniformAt or normalAt${UNSEEDED}`,
    );
  }
  return foldIn(sequence.key, sequence.drawn++);
}

function place(op: string, options: RandomOptions): { dtype: DType; device: Device } {
  const { dtype = "f32", device = defaultDevice() } = options;
  checkDType(op, dtype, device);
  expectDType(`${op}: dtype`, dtype, "float");
  return { dtype, device };
}

/**
 * Draws from the uniform distribution on [low, high), [0, 1) when left out, by Threefry-2x32
 * (Salmon et al. 2011) with 24 random bits each.
 */
export function randomUniform(
  shape: Shape,
  options: UniformOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("randomUniform", options, UNIFORM, surplus);
  const { dtype, device } = place("randomUniform", options);
  const { low = 0, high = 1 } = options;
  checkNumbers("randomUniform", { low, high });
  if (!(low <= high) || !Number.isFinite(high - low)) {
    throw new GradusError(`randomUniform: low ${low}, high ${high}; expected low ≤ high, finite`);
  }
  const target = checkShape("randomUniform", shape);
  const key = keyOf("randomUniform", options);
  const bits = inMemory("randomUniform", () => randomBits(key, sizeOf(target)));
  const values = inMemory("randomUniform", () => allocate(dtype, bits.length));
  const round = DTYPES[dtype].convert;
  for (let i = 0; i < bits.length; i++) {
    const value = round(low + uniformFromBits(bits[i]) * (high - low));
    values[i] = value < high || low === high ? value : low; // rounding to f32 may reach high
  }
  return sourceTensor(device, target, dtype, values);
}

/**
 * Draws from the normal distribution N(mean, std²), N(0, 1) when left out, by Threefry-2x32 and
 * the Box–Muller transform (Box & Muller 1958) in float64.
 */
export function randomNormal(
  shape: Shape,
  options: NormalOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("randomNormal", options, NORMAL, surplus);
  const { dtype, device } = place("randomNormal", options);
  const { mean = 0, std = 1 } = options;
  checkNumbers("randomNormal", { mean, std });
  if (!(std >= 0) || !Number.isFinite(std + mean)) {
    throw new GradusError(
      `randomNormal: mean ${mean}, std ${std}; expected finite, std at least 0`,
    );
  }
  const target = checkShape("randomNormal", shape);
  const key = keyOf("randomNormal", options);
  return inMemory("randomNormal", () => {
    const values = allocate(dtype, sizeOf(target));
    values.set(normals(key, values.length, mean, std));
    return sourceTensor(device, target, dtype, values);
  });
}

/** Draws a permutation of 0 … n − 1, as u32, each with equal probability. */
export function randomPermutation(
  n: number,
  options: Omit<RandomOptions, "dtype"> = {},
  ...surplus: never[]
): Tensor {
  checkOptions("randomPermutation", options, PERMUTATION, surplus);
  const { device = defaultDevice() } = options;
  checkDevice("randomPermutation", device);
  if (!isInteger(n, 0, 2 ** 32 - 1)) {
    throw new ShapeError(
      `randomPermutation: n ${describeValue(n)}; expected an integer from 0 to 2^32 - 1`,
    );
  }
  const key = keyOf("randomPermutation", options);
  return inMemory("randomPermutation", () => sourceTensor(device, [n], "u32", permutation(key, n)));
}
