import type { Counters } from "../../core/counters.ts";
import type { DType, NumericArray } from "../../core/dtype.ts";
import type { Program } from "../../engine/program.ts";
import { type ArrayStorage, Arrays, copyElements, storageOf } from "./arrays.ts";
import type { KeptPlan } from "./idle-plans.ts";
import { PLAIN_TYPESCRIPT } from "./plain-form.ts";
import { CpuPlan } from "./plan.ts";
import type { Underway } from "./underway.ts";

/** What computes on the CPU: where values lie, and what programs become. */
export interface CpuEngine {
  /** Names it, for people. */
  readonly description: string;
  /** What is alive. */
  readonly usage: { readonly buffers: number; readonly bytes: number };
  /** Makes room for values of a dtype, which hold anything. */
  make(dtype: DType, size: number): ArrayStorage;
  /** Sees a row of values, given its size, where it lies. */
  row(storage: ArrayStorage, dtype: DType, row: number, size: number): ArrayStorage;
  /** Copies values. */
  store(values: NumericArray, dtype: DType): ArrayStorage;
  release(storage: ArrayStorage): void;
  plan(program: Program): KeptPlan;
  /** Frees what is spare; set by who keeps it. */
  trim?: () => void;
  /** Its run that is not over; left out where runs are over when they return. */
  readonly underway?: Underway;
  /** Ends what works for it; left out where nothing does. */
  dispose?(): void;
}

/** Runs each op in its specification form, on typed arrays. */
export class PlainEngine implements CpuEngine {
  readonly description = PLAIN_TYPESCRIPT;
  readonly #arrays: Arrays;

  constructor(counters: Counters) {
    this.#arrays = new Arrays(counters);
  }

  get usage() {
    return this.#arrays.usage;
  }

  make(dtype: DType, size: number): ArrayStorage {
    return storageOf(this.#arrays.make(dtype, size));
  }

  row({ data }: ArrayStorage, _dtype: DType, row: number, size: number): ArrayStorage {
    return storageOf(data.subarray(row * size, (row + 1) * size));
  }

  store(values: NumericArray, dtype: DType): ArrayStorage {
    const storage = this.make(dtype, values.length);
    copyElements(storage.data, values, dtype);
    return storage;
  }

  release({ data }: ArrayStorage): void {
    this.#arrays.drop(data);
  }

  plan(program: Program): KeptPlan {
    return new CpuPlan(program, this.#arrays);
  }
}
