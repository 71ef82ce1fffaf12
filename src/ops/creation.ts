import { cutBy } from "../core/advice.ts";
import { dtypeOfArray } from "../core/array-dtype.ts";
import { checkEach, checkOptions, describeValue, isInteger, type Known } from "../core/check.ts";
import {
  allocate,
  convert,
  DTYPES,
  type DType,
  expectDType,
  is,
  isFloat,
  isHalf,
  type NumericArray,
} from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { inMemory } from "../core/host-memory.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../core/shape.ts";
import { fill } from "../graph/cotangent.ts";
import { defaultDevice } from "../graph/default-device.ts";
import type { Device } from "../graph/device.ts";
import { type NestedArray, unnest } from "../graph/nested.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkDType, checkTensors, sourceTensor, Tensor } from "../graph/tensor.ts";
import { tracedArrayOf } from "../graph/traced-array.ts";
import { watch } from "../graph/watch.ts";
import { cast } from "./cast.ts";
import { equal } from "./compare.ts";
import { foreignData } from "./foreign-data.ts";
import { expandDims, reshape } from "./reshape.ts";

/** Where and as what a tensor is made; for `full`, `zeros` and `ones` also a tensor that it is like. */
export interface CreationOptions {
  /** `f32` when left out, unless the data say otherwise. */
  dtype?: DType;
  /** The device of `init` when left out. */
  device?: Device;
}

/** The names of `CreationOptions`. */
export const CREATION: Known<CreationOptions> = { dtype: "string", device: true };

/** Options of `tensor`. */
export interface TensorOptions extends CreationOptions {
  /** Row-major shape of flat data; the data's own nesting when left out. */
  shape?: Shape;
}

const TENSOR: Known<TensorOptions> = { dtype: "string", device: true, shape: "number" };

/**
 * Makes a tensor of numbers, booleans, nested arrays of either or a typed array, which is copied.
 * In a compiled function, a typed array among the arguments gives in each call what it holds then.
 * The dtype is the typed array's, `bool` for booleans, else `f32`. Given as `bool`, all but 0 is 1.
 * @throws ShapeError for ragged nesting or a shape that does not hold the data; DTypeError for
 * numbers among booleans, for other values and where an integer dtype does not hold a number.
 * @example tensor([[1, 2], [3, 4]]);
 */
export function tensor(
  data: NestedArray | boolean | readonly (boolean | NestedArray)[] | ArrayBufferView,
  options: TensorOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("tensor", options, TENSOR, surplus);
  const device = options.device ?? defaultDevice();
  const traced = tracedArrayOf(data);
  return inMemory("tensor", () => {
    const isArray = traced !== undefined || ArrayBuffer.isView(data);
    const { values, shape, own } = isArray ? flat(data, traced?.dtype) : fromNested(data);
    const dtype = options.dtype ?? own;
    checkDType("tensor", dtype, device);
    const target = options.shape === undefined ? shape : checkShape("tensor", options.shape);
    if (sizeOf(target) !== values.length) {
      throw new ShapeError(
        `tensor: ${values.length} values for shape ${formatShape(target)}; ` +
          `expected ${sizeOf(target)}`,
      );
    }
    const convertAll = (array: NumericArray) => typed(array, dtype, own);
    if (traced) return traced.source(device, target, dtype, convertAll);
    return sourceTensor(device, target, dtype, convertAll(values));
  });
}

interface HostValues {
  values: NumericArray;
  shape: Shape;
  own: DType;
}

function flat(data: unknown, dtype?: DType): HostValues {
  const values = data as NumericArray;
  const own = dtype ?? dtypeOfArray("tensor", values);
  return { values, shape: [values.length], own };
}

function fromNested(data: unknown): HostValues {
  if (!Array.isArray(data) && typeof data !== "number" && typeof data !== "boolean") {
    throw foreignData(data);
  }
  if (Array.isArray(data) && data[0] instanceof Tensor) {
    throw new DTypeError("tensor: data holds tensors; expected numbers. Use stack(tensors)");
  }
  const { values, shape, kind } = unnest("tensor", data);
  return { values, shape, own: kind === "boolean" ? "bool" : "f32" };
}

/** Copies values to an array of a dtype. */
function typed(values: NumericArray, dtype: DType, own: DType): NumericArray {
  const copy = allocate(dtype, values.length);
  const ofBits = isHalf(dtype);
  if (!ofBits && (own === dtype || isFloat(dtype))) {
    copy.set(values);
    return copy;
  }
  for (let i = 0; i < values.length; i++) {
    copy[i] = convert(values[i], dtype);
    if (!ofBits && !is(dtype, "bool") && copy[i] !== values[i]) {
      throw new DTypeError(
        `tensor: ${values[i]} as value ${i} of dtype ${dtype}; expected whole numbers that ` +
          `${dtype} holds${is(dtype, "any") ? cutBy(dtype) : ""}`,
      );
    }
  }
  return copy;
}

/** Makes a tensor of one value everywhere; it takes no memory until it is read on its own. */
export function full(
  shape: Shape,
  value: number,
  options: CreationOptions = {},
  ...surplus: never[]
): Tensor {
  return filled("full", shape, value, options, surplus);
}

/** Does what `full` does, as another op. */
export function filled(
  op: string,
  shape: Shape,
  value: number,
  options: CreationOptions,
  surplus: readonly unknown[],
): Tensor {
  checkOptions(op, options instanceof Tensor ? {} : options, CREATION, surplus);
  const { dtype = "f32", device = defaultDevice() } = options;
  checkDType(op, dtype, device);
  const isValue = (x: unknown) => typeof x === "number" || typeof x === "boolean";
  checkEach(op, { value }, isValue, "a number");
  const attributes = { shape: checkShape(op, shape), dtype, value: convert(value, dtype) };
  return apply(fill, [], attributes, device);
}

/** Makes a tensor of zeros. */
export function zeros(shape: Shape, options: CreationOptions = {}, ...surplus: never[]): Tensor {
  return filled("zeros", shape, 0, options, surplus);
}

/** Makes a tensor of ones. */
export function ones(shape: Shape, options: CreationOptions = {}, ...surplus: never[]): Tensor {
  return filled("ones", shape, 1, options, surplus);
}

interface ArangeAttributes extends Record<string, unknown> {
  size: number;
  dtype: DType;
}

/** y[i] = i. */
const iotaOp: OpDefinition<ArangeAttributes> = defineOp<ArangeAttributes>({
  name: "iota",
  infer: (_, { size, dtype }) => ({ shape: [size], dtype }),
  cpu: (y, _, { size }) => {
    for (let i = 0; i < size; i++) y.data[i] = i;
  },
  cost: 0,
  linear: true,
  form: {
    kind: "pointwise",
    element: ({ at, scalars, attributes: { dtype } }) => scalars(dtype).from(at.linear),
  },
  vjp: null,
});

/** Counts from 0 to `size` − 1. */
export function iota(size: number, dtype: DType, device: Device): Tensor {
  return apply(iotaOp, [], { size, dtype }, device);
}

/**
 * Counts from `start` up to, not including, `end` in steps: `arange(5)`, `arange(2, 8, 2)`.
 * The dtype is `f32` unless given; values are computed in float64 and rounded once.
 * @throws ShapeError for a step of 0 or bounds that are not finite.
 */
export function arange(
  start: number,
  end?: number,
  step = 1,
  options: CreationOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("arange", options, CREATION, surplus);
  const [from, to] = end === undefined ? [0, start] : [start, end];
  const { dtype = "f32", device = defaultDevice() } = options;
  checkDType("arange", dtype, device);
  if (![from, to, step].every(Number.isFinite) || step === 0) {
    throw new ShapeError(
      `arange: start ${describeValue(from)}, end ${describeValue(to)}, step ` +
        `${describeValue(step)}; expected finite numbers and a step not 0`,
    );
  }
  const [size] = checkShape("arange", [Math.max(0, Math.ceil((to - from) / step))]);
  if (from === 0 && step === 1 && size <= 2 ** 24 && is(dtype, "number")) {
    return iota(size, dtype, device);
  }
  const values = inMemory("arange", () => allocate(dtype, size));
  for (let i = 0; i < size; i++) values[i] = convert(from + i * step, dtype);
  return sourceTensor(device, [size], dtype, values);
}

const isSize = (n: unknown) => isInteger(n, 0);

/** Makes an n × m matrix (square when m is left out) of ones on the diagonal, zeros elsewhere. */
export function eye(n: number, m = n, options: CreationOptions = {}, ...surplus: never[]): Tensor {
  checkOptions("eye", options, CREATION, surplus);
  const { dtype = "f32", device = defaultDevice() } = options;
  checkDType("eye", dtype, device);
  checkEach("eye", { n, m }, isSize, "an integer from 0", ShapeError);
  const [rows, columns] = checkShape("eye", [n, m]);
  const row = reshape(iota(rows, "i32", device), [rows, 1]);
  return cast(equal(row, iota(columns, "i32", device)), dtype);
}

/**
 * Turns integer labels of any shape into vectors with a 1 at the label: the result has one more
 * axis, of size `depth`. A label outside `[0, depth)` gives zeros; under `debug` it is an error.
 */
export function oneHot(
  labels: Tensor,
  depth: number,
  options: { dtype?: DType } = {},
  ...surplus: never[]
): Tensor {
  checkOptions("oneHot", options, { dtype: "string" }, surplus);
  checkTensors("oneHot", [labels]);
  const checked = watch ? watch.indices("oneHot", labels, depth) : labels;
  return hotRows(checked, depth, options.dtype);
}

/** Does what `oneHot` does of labels that may be outside on purpose. */
export function hotRows(labels: Tensor, depth: number, dtype: DType = "f32"): Tensor {
  expectDType("oneHot: labels have dtype", labels.dtype, "integer");
  checkEach("oneHot", { depth }, isSize, "an integer from 0", ShapeError);
  const [size] = checkShape("oneHot", [depth]);
  const whole = cast(labels, DTYPES[labels.dtype].accumulate);
  const column = expandDims(whole, whole.rank);
  return cast(equal(column, iota(size, whole.dtype, labels.device)), dtype);
}
