import type { Counters } from "../../core/counters.ts";
import { allocate, convert, type DType, is, type NumericArray } from "../../core/dtype.ts";
import type { Storage } from "../../graph/device.ts";

/** A tensor's values in a typed array, row-major. */
export interface ArrayStorage extends Storage {
  readonly data: NumericArray;
}

/** Makes an array the values of a tensor. */
export function storageOf(data: NumericArray): ArrayStorage {
  return { bytes: data.byteLength, failure: null, data };
}

/** Copies values as a dtype's elements; bytes of a bool may be any on the host. */
export function copyElements(to: NumericArray, values: NumericArray, dtype: DType): void {
  to.set(is(dtype, "bool") ? values.map((value) => convert(value, dtype)) : values);
}

/** Makes the arrays of a device and counts those that live. */
export class Arrays {
  #count = 0;
  #bytes = 0;

  constructor(readonly counters: Counters) {}

  /** Makes zeros of a dtype. */
  make(dtype: DType, size: number): NumericArray {
    return this.add(allocate(dtype, size));
  }

  /** Counts an array made elsewhere. */
  add(data: NumericArray): NumericArray {
    this.counters.add("buffers");
    this.#count++;
    this.#bytes += data.byteLength;
    return data;
  }

  /** Counts an array as gone. */
  drop(data: NumericArray): void {
    this.#count--;
    this.#bytes -= data.byteLength;
  }

  get usage(): { buffers: number; bytes: number } {
    return { buffers: this.#count, bytes: this.#bytes };
  }
}
