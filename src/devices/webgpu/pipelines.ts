import { KernelError } from "../../core/errors.ts";
import type { Counters } from "../../engine/counters.ts";
import type { Binding } from "./bindings.ts";
import type { KernelCode } from "./codegen.ts";

/** A pipeline and how many plans have it; it goes with the last of them. */
interface Shared {
  users: number;
  pipeline: GPUComputePipeline | null;
  building: Promise<GPUComputePipeline> | null;
}

/** Pipelines by their code: programs that need the same kernel share it. */
export class PipelineCache {
  readonly #pipelines = new Map<string, Shared>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();

  constructor(
    readonly device: GPUDevice,
    readonly counters: Counters,
    readonly report: (check: Promise<unknown>) => void,
  ) {}

  get size(): number {
    return this.#pipelines.size;
  }

  /** The layout of a kernel's buffers, by which of them it writes. */
  layout(bindings: readonly Binding[]): GPUBindGroupLayout {
    const label = `gradus ${bindings.map(({ written }) => (written ? "w" : "r")).join("")}`;
    let layout = this.#layouts.get(label);
    if (!layout) {
      layout = this.device.createBindGroupLayout({
        label,
        entries: bindings.map(({ written }, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: written ? "storage" : "read-only-storage" },
        })),
      });
      this.#layouts.set(label, layout);
    }
    return layout;
  }

  /**
   * The pipeline of a kernel for one more user, made at once. Messages of its compilation reach the
   * next read.
   */
  get(kernel: KernelCode): GPUComputePipeline {
    const shared = this.#share(kernel);
    if (!shared.pipeline) {
      const { descriptor, check } = this.#describe(kernel);
      this.report(check);
      shared.pipeline = this.device.createComputePipeline(descriptor);
    }
    return shared.pipeline;
  }

  /**
   * Makes the pipeline of a kernel for one more user without holding up the page.
   * @throws KernelError with the compiler's messages.
   */
  async build(kernel: KernelCode): Promise<GPUComputePipeline> {
    const shared = this.#share(kernel);
    if (shared.pipeline) return shared.pipeline;
    try {
      shared.building ??= this.#build(kernel);
      shared.pipeline ??= await shared.building;
      return shared.pipeline;
    } catch (error) {
      this.release(kernel);
      throw error;
    } finally {
      shared.building = null;
    }
  }

  /** Gives up what `get` or `build` gave once. */
  release({ code }: KernelCode): void {
    const shared = this.#pipelines.get(code);
    if (shared && --shared.users === 0) this.#pipelines.delete(code);
  }

  #share({ code }: KernelCode): Shared {
    let shared = this.#pipelines.get(code);
    if (!shared) {
      shared = { users: 0, pipeline: null, building: null };
      this.#pipelines.set(code, shared);
    }
    shared.users++;
    return shared;
  }

  async #build(kernel: KernelCode): Promise<GPUComputePipeline> {
    const { descriptor, check } = this.#describe(kernel);
    const built = this.device.createComputePipelineAsync(descriptor).catch((error: Error) => {
      throw new KernelError(`${kernel.label}: ${error.message}`);
    });
    built.catch(() => {}); // the compiler's messages say more
    await check;
    return built;
  }

  #describe(kernel: KernelCode) {
    this.counters.add("pipelines");
    const { label, code } = kernel;
    const module = this.device.createShaderModule({ label, code });
    const layout = this.device.createPipelineLayout({
      label,
      bindGroupLayouts: [this.layout(kernel.bindings)],
    });
    return { descriptor: { label, layout, compute: { module } }, check: checked(module, kernel) };
  }
}

async function checked(module: GPUShaderModule, kernel: KernelCode): Promise<void> {
  const { messages } = await module.getCompilationInfo();
  const found = messages.filter((message) => message.type !== "info");
  if (found.length === 0) return;
  const lines = found.map((message) => `${placeOf(message, kernel)}: ${message.message}`);
  throw new KernelError(`${kernel.label}: ${lines.join("; ")}`);
}

/** Where a message points to: a line of a kernel file, or what was written in front of it. */
function placeOf({ type, lineNum, linePos }: GPUCompilationMessage, kernel: KernelCode): string {
  const { regions, code } = kernel;
  const region = regions.find(({ first, last }) => first <= lineNum && lineNum <= last);
  if (region) return `${region.file}:${lineNum - region.first + 1}:${linePos}: ${type}`;
  const next = regions.find(({ first }) => lineNum < first) ?? regions[regions.length - 1];
  const text = code.split("\n")[lineNum - 1]?.trim();
  return `${next.file} (accessors: ${text}): ${type}`;
}
