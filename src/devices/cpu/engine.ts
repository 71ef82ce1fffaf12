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

  store(values: NumericArray, dtype: DType): ArrayStorage {
    const data = this.#arrays.make(dtype, values.length);
    copyElements(data, values, dtype);
    return storageOf(data);
  }

  release({ data }: ArrayStorage): void {
    this.#arrays.drop(data);
  }

  plan(program: Program): KeptPlan {
    return new CpuPlan(program, this.#arrays);
  }
}
