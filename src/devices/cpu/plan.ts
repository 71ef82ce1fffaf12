import type { DType, NumericArray } from "../../core/dtype.ts";
import { sizeOf } from "../../core/shape.ts";
import { copyStrided } from "../../core/strided-loops.ts";
import { tools } from "../../core/tools.ts";
import type { Lifetime } from "../../engine/memory-plan.ts";
import type { Plan, PlanStats } from "../../engine/plan.ts";
import type { KernelTime, Profile } from "../../engine/profile.ts";
import type { Program } from "../../engine/program.ts";
import type { Storage } from "../../graph/device.ts";
import { type ArrayStorage, type Arrays, storageOf } from "./arrays.ts";
import { type Base, isWhole, Layout, type Slot, type Task, type Value } from "./layout.ts";
import { PLAIN_TYPESCRIPT } from "./plain-form.ts";

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
  readonly #lifetimes: readonly Lifetime[];
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
    const { slots, lifetimes } = layout.slots(given);
    this.#slots = slots;
    this.#lifetimes = lifetimes;
  }

  readonly ready = true;

  async stats(): Promise<PlanStats> {
    const { opFlops, planStats } = await tools.get();
    const kernels = this.#tasks.map(({ name, op, types, dtype, bytes, y }) => {
      const flops = opFlops(op, types, { shape: y.shape, dtype });
      return { groups: [[name]], flops, bytes, workgroups: 0, bindings: 0 };
    });
    const sizes = this.#slots.map(({ bytes }) => bytes);
    return { ...planStats(0, kernels, sizes, this.#lifetimes), engine: PLAIN_TYPESCRIPT };
  }

  /** There is nothing to build. */
  async prepare(): Promise<void> {}

  /** Bytes of the buffers that it has now. */
  get bytes(): number {
    return this.#buffers?.reduce((sum, { byteLength }) => sum + byteLength, 0) ?? 0;
  }

  run(storages: readonly Storage[]): Storage[] {
    return this.#run(storages, () => {
      for (const { cpu, y, inputs, attributes } of this.#tasks) cpu(y, inputs, attributes);
    });
  }

  async profile(storages: readonly Storage[]): Promise<{ outputs: Storage[]; profile: Profile }> {
    const kernels: KernelTime[] = [];
    const outputs = this.#run(storages, () => {
      const origin = performance.now();
      for (const { name, cpu, y, inputs, attributes } of this.#tasks) {
        const begin = performance.now();
        cpu(y, inputs, attributes);
        const duration = 1000 * (performance.now() - begin);
        kernels.push({ name, start: 1000 * (begin - origin), duration });
      }
    });
    return { outputs, profile: { clock: "host", kernels } };
  }

  /** Gives all views their arrays, runs the tasks, and writes what has to be written. */
  #run(storages: readonly Storage[], tasks: () => void): Storage[] {
    this.#takeBuffers();
    const made: NumericArray[] = [];
    const make = (dtype: DType, size: number): NumericArray => {
      const data = this.arrays.make(dtype, size);
      made.push(data);
      return data;
    };
    for (let i = 0; i < this.#sources.length; i++) {
      this.#sources[i].bind((storages[i] as ArrayStorage).data);
    }
    try {
      for (const { isCopy, value } of this.#outputs) {
        if (!isCopy) value.base.bind(make(value.base.dtype, value.base.size));
      }
      tasks();
      const outputs = this.#outputs.map(({ isCopy, value: { view, base } }) => {
        if (!isCopy) return storageOf(view.data);
        const data = make(base.dtype, sizeOf(view.shape));
        copyStrided(view, data);
        return storageOf(data);
      });
      for (const { to, value } of this.#writes) copyStrided(value.view, to.view.data);
      return outputs;
    } catch (error) {
      // Where memory ran out, or a task threw, as for a label that is none, nobody gets them.
      for (const data of made) this.arrays.drop(data);
      throw error;
    } finally {
      for (const source of this.#sources) source.unbind();
      for (const { value, isCopy } of this.#outputs) if (!isCopy) value.base.unbind();
    }
  }

  #takeBuffers(): void {
    if (this.#buffers) return;
    this.#buffers = [];
    try {
      for (const { bytes, bases } of this.#slots) {
        const data = this.arrays.make("u8", Math.ceil(bytes / 8) * 8);
        this.#buffers.push(data);
        const buffer = data.buffer as ArrayBuffer;
        for (const base of bases) base.bind(base.over(buffer));
      }
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Frees the buffers; the next run makes new ones. */
  dispose(): void {
    for (const data of this.#buffers ?? []) this.arrays.drop(data);
    this.#buffers = null;
    for (const { bases } of this.#slots) for (const base of bases) base.unbind();
  }
}
