import type { Counters } from "../../../core/counters.ts";
import type { DType, NumericArray } from "../../../core/dtype.ts";
import { lower } from "../../../engine/lower.ts";
import type { Program } from "../../../engine/program.ts";
import { isUniform } from "../../../engine/simplify.ts";
import { type ArrayStorage, copyElements } from "../arrays.ts";
import type { CpuEngine } from "../engine.ts";
import type { KeptPlan } from "../idle-plans.ts";
import type { Threads } from "../threads/threads.ts";
import { Underway } from "../underway.ts";
import { addCodes } from "./codes.ts";
import { Heap, type HeapStorage } from "./heap.ts";
import { CompiledPlan } from "./plan.ts";
import { engineName, hasMultiplyAdd } from "./simd-level.ts";

/** Makes one WebAssembly module of each program, which works on one memory. */
export class CompiledEngine implements CpuEngine {
  /** What code that few apps want has in common with it, where that does not import it. */
  static shared: object = {};
  static readonly addCodes = addCodes;
  readonly description: string;
  readonly underway = new Underway();
  readonly #heap: Heap;
  readonly #isFused: boolean;

  constructor(
    counters: Counters,
    readonly threads: Threads | null = null,
  ) {
    this.#heap = new Heap(counters, threads?.memory);
    this.#isFused = hasMultiplyAdd();
    const shared = threads ? `, ${threads.count} threads` : "";
    this.description = engineName(this.#isFused) + shared;
    threads?.endWith(this);
  }

  get usage() {
    return this.#heap.usage;
  }

  set trim(trim: () => void) {
    this.#heap.trim = trim;
  }

  make(dtype: DType, size: number): ArrayStorage {
    return this.#heap.store(dtype, size);
  }

  row(storage: ArrayStorage, dtype: DType, row: number, size: number): ArrayStorage {
    return this.#heap.row(storage as HeapStorage, dtype, row, size);
  }

  store(values: NumericArray, dtype: DType): ArrayStorage {
    const storage = this.make(dtype, values.length);
    copyElements(storage.data, values, dtype);
    return storage;
  }

  release(storage: ArrayStorage): void {
    this.#heap.give((storage as HeapStorage).block);
  }

  plan(program: Program): KeptPlan {
    const { underway, threads } = this;
    // Memory is filled sooner than there is code for it.
    const hasCode = !isUniform(program);
    return new CompiledPlan(
      lower(program, undefined, "composed"),
      this.#heap,
      this.#isFused,
      underway,
      threads,
      hasCode,
    );
  }

  dispose(): void {
    this.threads?.end();
  }
}

/** Gives the engine what it has in common with other scripts: nothing where it imports all of it. */
export function engineOf(_parts: object): typeof CompiledEngine {
  return CompiledEngine;
}
