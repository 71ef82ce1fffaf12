import { allocate, convert, type DType, dtypeOfArray, type NumericArray } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../core/shape.ts";
import type { Backend } from "../graph/backend.ts";
import { fill } from "../graph/cotangent.ts";
import { defaultDevice } from "../graph/default-device.ts";
import { type NestedArray, unnest } from "../graph/nested.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkDType, sourceTensor, type Tensor } from "../graph/tensor.ts";
import { wgslType } from "../graph/wgsl.ts";
import { cast } from "./cast.ts";
import { equal } from "./compare.ts";
import { checkDomain } from "./elementwise.ts";
import { expandDims, reshape } from "./reshape.ts";

/** Where and as what a tensor is made. */
export interface CreationOptions {
  /** `f32` when left out, unless the data say otherwise. */
  dtype?: DType;
  /** The device of `init` when left out. */
  device?: Backend;
}

/** Options of `tensor`. */
export interface TensorOptions extends CreationOptions {
  /** Row-major shape of flat data; the data's own nesting when left out. */
  shape?: Shape;
}

/**
 * Makes a tensor of numbers, booleans, nested arrays or a typed array, which is copied.
 * The dtype is the typed array's, `bool` for booleans, else `f32`.
 * @throws ShapeError for ragged nesting or a shape that does not hold the data.
 * @example tensor([[1, 2], [3, 4]]);
 */
export function tensor(
  data: NestedArray | boolean | readonly (boolean | NestedArray)[] | ArrayBufferView,
  options: TensorOptions = {},
): Tensor {
  const device = options.device ?? defaultDevice();
  const { values, shape, own } = ArrayBuffer.isView(data) ? flat(data) : nested(data);
  const dtype = options.dtype ?? own;
  checkDType("tensor", dtype, device);
  const target = options.shape ? checkShape("tensor", options.shape) : shape;
  if (sizeOf(target) !== values.length) {
    throw new ShapeError(
      `tensor: ${values.length} values for shape ${formatShape(target)}; ` +
        `expected ${sizeOf(target)}`,
    );
  }
  const typed = allocate(dtype, values.length);
  if (own === dtype || dtype === "f32" || dtype === "f64") typed.set(values);
  else for (let i = 0; i < values.length; i++) typed[i] = convert(values[i], dtype);
  return sourceTensor(device, target, dtype, typed);
}

interface HostValues {
  values: NumericArray;
  shape: Shape;
  own: DType;
}

function flat(data: ArrayBufferView): HostValues {
  const own = dtypeOfArray("tensor", data);
  const values = data as NumericArray;
  return { values, shape: [values.length], own };
}

function nested(data: unknown): HostValues {
  const { values, shape } = unnest("tensor", data);
  let first: unknown = data;
  while (Array.isArray(first)) first = first[0];
  return { values, shape, own: typeof first === "boolean" ? "bool" : "f32" };
}

/** Makes a tensor of one value everywhere; it takes no memory until it is read on its own. */
export function full(shape: Shape, value: number, options: CreationOptions = {}): Tensor {
  return filled("full", shape, value, options);
}

function filled(op: string, shape: Shape, value: number, options: CreationOptions): Tensor {
  const { dtype = "f32", device = defaultDevice() } = options;
  checkDType(op, dtype, device);
  const attributes = { shape: checkShape(op, shape), dtype, value: convert(value, dtype) };
  return apply(fill, [], attributes, device);
}

/** Makes a tensor of zeros. */
export function zeros(shape: Shape, options: CreationOptions = {}): Tensor {
  return filled("zeros", shape, 0, options);
}

/** Makes a tensor of ones. */
export function ones(shape: Shape, options: CreationOptions = {}): Tensor {
  return filled("ones", shape, 1, options);
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
  gpu: {
    kind: "pointwise",
    cost: 0,
    linear: true,
    element: ({ at, attributes: { dtype } }) => `${wgslType(dtype)}(${at.linear})`,
  },
  vjp: () => [],
});

function iota(size: number, dtype: DType, device: Backend): Tensor {
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
): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  const { dtype = "f32", device = defaultDevice() } = options;
  checkDType("arange", dtype, device);
  if (![from, to, step].every(Number.isFinite) || step === 0) {
    throw new ShapeError(
      `arange: start ${from}, end ${to}, step ${step}; expected finite numbers and a step not 0`,
    );
  }
  const size = Math.max(0, Math.ceil((to - from) / step));
  if (from === 0 && step === 1 && size <= 2 ** 24 && dtype !== "bool" && dtype !== "u8") {
    return iota(size, dtype, device);
  }
  const values = allocate(dtype, size);
  for (let i = 0; i < size; i++) values[i] = convert(from + i * step, dtype);
  return sourceTensor(device, [size], dtype, values);
}

/** Makes an n × m matrix (square when m is left out) of ones on the diagonal, zeros elsewhere. */
export function eye(n: number, m = n, options: CreationOptions = {}): Tensor {
  const { dtype = "f32", device = defaultDevice() } = options;
  const [rows, columns] = checkShape("eye", [n, m]);
  const row = reshape(iota(rows, "i32", device), [rows, 1]);
  return cast(equal(row, iota(columns, "i32", device)), dtype);
}

/**
 * Turns integer labels of any shape into vectors with a 1 at the label: the result has one more
 * axis, of size `depth`. A label outside `[0, depth)` gives zeros.
 */
export function oneHot(labels: Tensor, depth: number, options: { dtype?: DType } = {}): Tensor {
  if (labels.dtype !== "i32" && labels.dtype !== "u32" && labels.dtype !== "u8") {
    throw new DTypeError(`oneHot: labels have dtype ${labels.dtype}; expected i32, u32 or u8`);
  }
  const [size] = checkShape("oneHot", [depth]);
  const whole = labels.dtype === "u8" ? cast(labels, "u32") : labels;
  checkDomain("oneHot", whole.dtype, "number");
  const column = expandDims(whole, whole.rank);
  return cast(equal(column, iota(size, whole.dtype, labels.device)), options.dtype ?? "f32");
}
