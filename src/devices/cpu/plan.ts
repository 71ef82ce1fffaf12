import type { NumericArray } from "../../core/dtype.ts";
import { sizeOf } from "../../core/shape.ts";
import { copyStrided } from "../../core/strided.ts";
import type { Plan } from "../../engine/device.ts";
import type { Program } from "../../engine/program.ts";
import type { Storage } from "../../graph/backend.ts";
import { type ArrayStorage, type Arrays, storageOf } from "./arrays.ts";
import { type Base, isWhole, Layout, type Slot, type Task, type Value } from "./layout.ts";

/** An array that a run gives away: the one that a task writes, or a copy. */
interface Output {
  readonly value: Value;
  readonly isCopy: boolean;
}

/** A source's array and the value that goes into it at the end. */
interface Write {
  readonly to: Value;
  readonly value: Value;
}

/**
 * A program as a list of tasks on views whose buffers are shared and made once. A run makes no buffer
 * but the outputs'.
 */
export class CpuPlan implements Plan {
  readonly #tasks: readonly Task[];
  readonly #sources: readonly Base[];
  readonly #outputs: readonly Output[];
  readonly #writes: readonly Write[];
  readonly #slots: readonly Slot[];
  #buffers: NumericArray[] | null = null;

  constructor(
    program: Program,
    readonly arrays: Arrays,
  ) {
    const layout = new Layout(program);
    const { values } = layout;
    this.#sources = program.sources.map((step) => values[step].base);
    const sources = new Set(this.#sources);
    const given = new Set<Base>();
    this.#outputs = program.outputs.map((step) => {
      const value = values[step];
      const isCopy = sources.has(value.base) || given.has(value.base) || !isWhole(value);
      if (!isCopy) given.add(value.base);
      return { value, isCopy };
    });
    // What is read from a source is saved before the first source changes.
    this.#writes = program.updates.map(({ source, value }) => {
      const next = values[value];
      return { to: values[source], value: sources.has(next.base) ? layout.copy(next) : next };
    });
    for (const { value } of [...this.#outputs, ...this.#writes]) value.base.lastRead = Infinity;
    this.#tasks = layout.tasks;
    this.#slots = layout.slots(given);
  }

  /** Bytes of the buffers that it has now. */
  get bytes(): number {
    return this.#buffers?.reduce((sum, { byteLength }) => sum + byteLength, 0) ?? 0;
  }

  run(storages: readonly Storage[]): Storage[] {
    this.#takeBuffers();
    for (let i = 0; i < this.#sources.length; i++) {
      this.#sources[i].bind((storages[i] as ArrayStorage).data);
    }
    for (const { isCopy, value } of this.#outputs) {
      if (!isCopy) value.base.bind(this.arrays.make(value.base.dtype, value.base.size));
    }
    for (const { cpu, y, inputs, attributes } of this.#tasks) cpu(y, inputs, attributes);
    const outputs = this.#outputs.map((output) => this.#give(output));
    for (const { to, value } of this.#writes) copyStrided(value.view, to.view.data);
    for (const source of this.#sources) source.unbind();
    for (const { value, isCopy } of this.#outputs) if (!isCopy) value.base.unbind();
    return outputs;
  }

  #give({ value: { view, base }, isCopy }: Output): ArrayStorage {
    if (!isCopy) return storageOf(view.data);
    const data = this.arrays.make(base.dtype, sizeOf(view.shape));
    copyStrided(view, data);
    return storageOf(data);
  }

  #takeBuffers(): void {
    if (this.#buffers) return;
    this.#buffers = this.#slots.map(({ dtype, size }) => this.arrays.make(dtype, size));
    this.#slots.forEach(({ bases }, i) => {
      for (const base of bases) base.bind((this.#buffers as NumericArray[])[i]);
    });
  }

  /** Frees the buffers; the next run makes new ones. */
  dispose(): void {
    for (const data of this.#buffers ?? []) this.arrays.drop(data);
    this.#buffers = null;
    for (const { bases } of this.#slots) for (const base of bases) base.unbind();
  }
}
