import type { Counters } from "../../core/counters.ts";
import { allocate, DTYPES, type DType, is, type NumericArray } from "../../core/dtype.ts";
import { getOrInsert } from "../../core/get-or-insert.ts";
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
  to.set(is(dtype, "bool") ? values.map(DTYPES[dtype].convert) : values);
}

/** Bytes of arrays that are kept for who asks for such a one next. */
const MOST_SPARE = 16 * 2 ** 20;

/**
 * Makes the arrays of a device and counts those that live. One that lives no longer is given again,
 * since making and collecting small ones takes as long as computing them.
 */
export class Arrays {
  #count = 0;
  #bytes = 0;
  /** Arrays that live no longer, by their class and length. */
  readonly #spare = new Map<unknown, Map<number, NumericArray[]>>();
  #spareBytes = 0;

  constructor(readonly counters: Counters) {}

  /** Gives an array of a dtype, which holds anything. */
  make(dtype: DType, size: number): NumericArray {
    const spare = this.#spare.get(DTYPES[dtype].array)?.get(size)?.pop();
    if (spare) this.#spareBytes -= spare.byteLength;
    const data = spare ?? allocate(dtype, size);
    this.counters.add("buffers");
    this.#count++;
    this.#bytes += data.byteLength;
    return data;
  }

  /** Takes an array back, which nobody reads any more. */
  drop(data: NumericArray): void {
    this.#count--;
    this.#bytes -= data.byteLength;
    this.#spareBytes += data.byteLength;
    if (this.#spareBytes > MOST_SPARE) {
      this.#spare.clear();
      this.#spareBytes = 0;
      return;
    }
    const alike = getOrInsert(this.#spare, data.constructor, newMap);
    getOrInsert(alike, data.length, newList).push(data);
  }

  get usage(): { buffers: number; bytes: number } {
    return { buffers: this.#count, bytes: this.#bytes };
  }
}

function newMap(): Map<number, NumericArray[]> {
  return new Map();
}

function newList(): NumericArray[] {
  return [];
}
