import { KernelError } from "../../core/errors.ts";
import type { Counters } from "../../engine/counters.ts";
import type { KernelCode } from "./codegen.ts";

/** Pipelines by their code: programs that need the same kernel share it. */
export class PipelineCache {
  readonly #pipelines = new Map<string, GPUComputePipeline>();
  readonly #layouts: GPUBindGroupLayout[] = [];

  constructor(
    readonly device: GPUDevice,
    readonly counters: Counters,
    readonly report: (check: Promise<unknown>) => void,
  ) {}

  get size(): number {
    return this.#pipelines.size;
  }

  /** The layout of kernels with `reads` read-only buffers and one written. */
  layout(reads: number): GPUBindGroupLayout {
    this.#layouts[reads] ??= this.device.createBindGroupLayout({
      label: `gradus ${reads} inputs`,
      entries: Array.from({ length: reads + 1 }, (_, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: binding < reads ? "read-only-storage" : "storage" },
      })),
    });
    return this.#layouts[reads];
  }

  /** The pipeline of a kernel. Messages of its compilation reach the next read. */
  get(kernel: KernelCode): GPUComputePipeline {
    let pipeline = this.#pipelines.get(kernel.code);
    if (!pipeline) {
      this.counters.add("pipelines");
      const { label } = kernel;
      const module = this.device.createShaderModule({ label, code: kernel.code });
      this.report(checkMessages(module, kernel));
      pipeline = this.device.createComputePipeline({
        label,
        layout: this.device.createPipelineLayout({
          label,
          bindGroupLayouts: [this.layout(kernel.reads.length)],
        }),
        compute: { module },
      });
      this.#pipelines.set(kernel.code, pipeline);
    }
    return pipeline;
  }
}

async function checkMessages(module: GPUShaderModule, kernel: KernelCode): Promise<void> {
  const { messages } = await module.getCompilationInfo();
  const found = messages.filter((message) => message.type !== "info");
  if (found.length === 0) return;
  const lines = found.map(({ type, message, lineNum, linePos }) => {
    const line = lineNum - kernel.preludeLines;
    const text = kernel.code.split("\n")[lineNum - 1]?.trim();
    const place =
      line > 0 ? `${kernel.shader}:${line}:${linePos}` : `${kernel.shader} (accessors: ${text})`;
    return `${place}: ${type}: ${message}`;
  });
  throw new KernelError(`${kernel.label}: ${lines.join("; ")}`);
}
