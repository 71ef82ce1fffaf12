import { KEEP_A_TENSOR, TENSOR_OF_ARRAY } from "../core/advice.ts";
import { dtypeOfArray } from "../core/array-dtype.ts";
import { allocate, type DType, type NumericArray } from "../core/dtype.ts";
import { GradusError } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import type { Device } from "./device.ts";
import { Node } from "./node.ts";
import { announce, Tensor } from "./tensor.ts";

/** Makes the values of a tensor from a typed array. */
export type Conversion = (array: NumericArray) => NumericArray;

/** A tensor that a traced function made of a typed array, and how it is made anew in each call. */
export interface ArrayUse {
  readonly node: Node;
  readonly convert: Conversion;
}

const tracedArrays = new WeakMap<object, TracedArray>();

/**
 * Stands for a typed array among the arguments of a function while that is traced. Its elements are
 * those of the call, so only `tensor` may take them: each call makes the same tensors anew.
 */
export class TracedArray {
  readonly dtype: DType;
  readonly length: number;
  /** What the function is given: a typed array whose elements cannot be read. */
  readonly standIn: object;
  /** The tensors made of it. */
  readonly uses: ArrayUse[] = [];
  #isOpen = true;

  constructor(array: NumericArray, op: string) {
    this.dtype = dtypeOfArray(op, array);
    this.length = array.length;
    this.standIn = standInOf(array, this.dtype, op);
    tracedArrays.set(this.standIn, this);
  }

  /** Makes a tensor of the array's elements, as `convert` gives them. */
  source(device: Device, shape: Shape, dtype: DType, convert: Conversion): Tensor {
    if (!this.#isOpen) {
      throw new GradusError(
        "tensor: a typed array that a compiled function was given; expected it to be used while " +
          `that is traced only${KEEP_A_TENSOR}`,
      );
    }
    device.check("tensor");
    const node = new Node(device, shape, dtype);
    this.uses.push({ node, convert });
    return announce(new Tensor(node));
  }

  /** Ends the trace: no more tensors can be made of it. */
  close(): void {
    this.#isOpen = false;
  }
}

/** Finds the typed array that a value stands for in a traced function. */
export function tracedArrayOf(value: unknown): TracedArray | undefined {
  return tracedArrays.get(value as object); // undefined for what is no object
}

/** What can be known of a typed array without its elements. */
const TYPE = new Set<PropertyKey>(["BYTES_PER_ELEMENT", "constructor", Symbol.toStringTag]);

function standInOf(array: NumericArray, dtype: DType, op: string): object {
  const sizes: Readonly<Record<PropertyKey, number>> = {
    length: array.length,
    byteLength: array.byteLength,
  };
  const refuse = (): never => {
    throw new GradusError(
      `${op}: elements of a typed array are read in a function that is being compiled; expected ` +
        `tensor(array) there${TENSOR_OF_ARRAY}`,
    );
  };
  return new Proxy(allocate(dtype, 0), {
    get: (empty, name) => {
      if (Object.hasOwn(sizes, name)) return sizes[name];
      if (name === "then") return undefined; // asked of whatever may be a promise
      return TYPE.has(name) ? Reflect.get(empty, name, empty) : refuse();
    },
    has: refuse,
    ownKeys: refuse,
    getOwnPropertyDescriptor: refuse,
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
  });
}
