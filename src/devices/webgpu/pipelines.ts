import type { Counters } from "../../core/counters.ts";
import { getOrInsert } from "../../core/get-or-insert.ts";
import { tools } from "../../core/tools.ts";
import type { KernelCode } from "./codegen.ts";
import { asGradus, type Check, firstOf, type Guard } from "./guard.ts";
import { type Pattern, type SettledKernel, settle } from "./numbers.ts";

/** A pipeline and how many plans have it; it goes with the last of them. */
export interface Shared {
  readonly code: string;
  readonly pattern: Pattern;
  users: number;
  pipeline: GPUComputePipeline | null;
  building: Promise<GPUComputePipeline> | null;
  /** What is wrong with it; null as soon as that is known. */
  check: Check | null;
}

const FILTERS = ["out-of-memory", "validation", "internal"] as const;

/** Compilers take their time, several at once all the more. */
const PATIENCE = 4;

/** Pipelines by their code: programs that need the same kernel, but for numbers, share it. */
export class PipelineCache {
  readonly #pipelines = new Map<string, Shared>();
  readonly #patterns = new Map<string, Pattern>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();

  constructor(
    readonly guard: Guard,
    readonly counters: Counters,
  ) {}

  get size(): number {
    return this.#pipelines.size;
  }

  /** Settles the code of a plan's kernels. */
  settle(kernels: readonly KernelCode[]): SettledKernel[] {
    return settle(kernels, this.#patterns);
  }

  /** The layout of a kernel's buffers, by which of them it writes, and of its numbers. */
  layout({ bindings, numbers }: SettledKernel): GPUBindGroupLayout {
    const types = bindings.map(
      ({ written }): GPUBufferBindingType => (written ? "storage" : "read-only-storage"),
    );
    if (numbers.length > 0) types.push("uniform");
    const moving = bindings.findIndex(({ isMoving }) => isMoving);
    const label = `gradus ${types} ${moving}`;
    const visibility = GPUShaderStage.COMPUTE;
    const entries = types.map((type, binding) => {
      return { binding, visibility, buffer: { type, hasDynamicOffset: binding === moving } };
    });
    return getOrInsert(this.#layouts, label, () =>
      this.guard.host.device.createBindGroupLayout({ label, entries }),
    );
  }

  /**
   * The pipeline of a kernel for one more user, made at once. What is wrong with it, a compiler's
   * messages among that, is known later, by the guard.
   */
  get(kernel: SettledKernel): Shared {
    const shared = this.#share(kernel);
    if (!shared.pipeline) {
      try {
        const [built, check] = this.#create(kernel, (device, descriptor) =>
          device.createComputePipeline(descriptor),
        );
        shared.pipeline = built;
        shared.check = check.then((failure) => {
          shared.check = null;
          if (failure) this.#forget(shared);
          return failure;
        });
      } catch (error) {
        this.release(shared);
        throw error;
      }
    }
    this.guard.add(shared.check);
    return shared;
  }

  /**
   * Makes the pipeline of a kernel for one more user without holding up the page.
   * @throws KernelError with the compiler's messages.
   */
  async build(kernel: SettledKernel): Promise<Shared> {
    const shared = this.#share(kernel);
    try {
      const failure = await shared.check;
      if (failure) throw failure;
      shared.building ??= shared.pipeline ? null : this.#build(kernel);
      shared.pipeline ??= await shared.building;
      return shared;
    } catch (error) {
      this.#forget(shared);
      this.release(shared);
      throw error;
    } finally {
      shared.building = null;
    }
  }

  /** Gives up what `get` or `build` gave once. */
  release(shared: Shared): void {
    if (--shared.users === 0) this.#forget(shared);
  }

  #share({ code, pattern: own }: SettledKernel): Shared {
    const shared = getOrInsert(this.#pipelines, code, () => {
      const pattern = getOrInsert(this.#patterns, own.text, () => own);
      pattern.users++;
      return { code, pattern, users: 0, pipeline: null, building: null, check: null };
    });
    shared.users++;
    return shared;
  }

  /** Lets nobody else have a pipeline. */
  #forget(shared: Shared): void {
    const { code, pattern } = shared;
    if (this.#pipelines.get(code) !== shared) return;
    this.#pipelines.delete(code);
    if (--pattern.users === 0) this.#patterns.delete(pattern.text);
  }

  async #build(kernel: SettledKernel): Promise<GPUComputePipeline> {
    const { guard } = this;
    const { op } = guard;
    const [built, check] = this.#create(kernel, (device, descriptor) =>
      device.createComputePipelineAsync(descriptor),
    );
    built.catch(() => {}); // the compiler's messages say more
    const failure = await check;
    if (failure) throw failure;
    return guard.answer(op, "createComputePipelineAsync", built, PATIENCE * guard.host.timeout);
  }

  /** Compiles a kernel; gives with what `make` gives what is found to be wrong. */
  #create<T>(
    kernel: SettledKernel,
    make: (device: GPUDevice, descriptor: GPUComputePipelineDescriptor) => T,
  ): [built: T, check: Check] {
    this.counters.add("pipelines");
    const { guard } = this;
    const { op } = guard;
    const { device } = guard.host;
    const { label, code } = kernel;
    const compile = () => {
      const module = device.createShaderModule({ label, code });
      const layout = device.createPipelineLayout({
        label,
        bindGroupLayouts: [this.layout(kernel)],
      });
      const built = make(device, { label, layout, compute: { module } });
      return { built, messages: this.#messages(op, module, kernel) };
    };
    const [{ built, messages }, made] = guard.check(compile, undefined, op, FILTERS);
    const valid = guard.inTime(made, PATIENCE * guard.host.timeout);
    const check = firstOf([valid, messages]).then((failure) => {
      if (failure) this.#layouts.clear(); // one of them may be why
      return failure;
    });
    return [built, check];
  }

  /** What the compiler has to say. */
  async #messages(op: string, module: GPUShaderModule, kernel: KernelCode): Check {
    const { guard } = this;
    try {
      const { messages } = await guard.answer(
        op,
        "getCompilationInfo",
        module.getCompilationInfo(),
        PATIENCE * guard.host.timeout,
      );
      const found = messages.filter((message) => message.type !== "info");
      if (found.length === 0) return null;
      return (await tools.get()).compilerError(found, kernel);
    } catch (error) {
      return asGradus(op, error);
    }
  }
}
