import type { DType } from "../../core/dtype.ts";
import { sizeOf } from "../../core/shape.ts";
import type { Counters } from "../../engine/counters.ts";
import type { Plan } from "../../engine/device.ts";
import { lastUses } from "../../engine/memory-plan.ts";
import type { Program } from "../../engine/program.ts";
import { type Group, type Schedule, schedule } from "../../engine/schedule.ts";
import type { KernelProfile, Stage } from "../../graph/op.ts";
import { type BufferPool, type BufferStorage, checkFits } from "./buffers.ts";
import { generate, type KernelCode, SCRATCH } from "./codegen.ts";
import type { PipelineCache } from "./pipelines.ts";
import { bytesOf } from "./transfer.ts";

/** What a plan needs of its device. */
export interface PlanHost {
  readonly device: GPUDevice;
  readonly pool: BufferPool;
  readonly pipelines: PipelineCache;
  readonly profile: KernelProfile;
  readonly counters: Counters;
  /** Submits what `record` encodes, and looks for errors. */
  submit(label: string, record: (pass: GPUComputePassEncoder) => void): void;
}

interface Dispatch {
  readonly kernel: KernelCode;
  /** Null where there is nothing to compute. */
  readonly pipeline: GPUComputePipeline | null;
  readonly workgroups: readonly [number, number, number];
  /** The step it stores, or `SCRATCH`. */
  readonly output: number;
  /** Steps not read again after it. */
  readonly freed: readonly number[];
}

/** Bind groups kept per dispatch; the pool gives the same buffers again and again. */
const BIND_GROUP_LIMIT = 16;

/** A program as kernels in order. */
export class GpuPlan implements Plan {
  readonly #program: Program;
  readonly #dispatches: Dispatch[] = [];
  readonly #bindGroups: Map<string, GPUBindGroup>[] = [];
  readonly #label: string;

  constructor(
    readonly host: PlanHost,
    program: Program,
  ) {
    this.#program = program;
    const { maxStorageBuffersPerShaderStage } = host.device.limits;
    const order = schedule(program, maxStorageBuffersPerShaderStage - 1);
    const kept = new Set([...program.sources, ...program.outputs]);
    const freed = lastUses(order.groups, kept);
    for (const [i, group] of order.groups.entries()) this.#add(order, group, freed[i]);
    this.#label = `gradus plan: ${this.#dispatches.map(({ kernel }) => kernel.label).join(", ")}`;
  }

  #add(order: Schedule, group: Group, freed: readonly number[]): void {
    const { host } = this;
    const { shape, dtype } = this.#program.steps[group.output];
    const empty = sizeOf(shape) === 0;
    const kernels = empty ? [nothing(dtype)] : generate(this.#program, order, group, host.profile);
    kernels.forEach((kernel, i) => {
      const bytes = bytesOf(kernel.dtype, kernel.size);
      checkFits(`${kernel.label}: a result of`, bytes, host.device.limits);
      const last = i === kernels.length - 1;
      const workgroups = grid(kernel.workgroups);
      this.#bindGroups.push(new Map());
      this.#dispatches.push({
        kernel,
        pipeline: empty ? null : host.pipelines.get(kernel),
        workgroups,
        output: last ? group.output : SCRATCH,
        freed: last ? [...freed, SCRATCH] : i > 0 ? [SCRATCH] : [],
      });
    });
  }

  run(sources: readonly BufferStorage[]): BufferStorage[] {
    const { host } = this;
    const values = new Map(this.#program.sources.map((step, i) => [step, sources[i]]));
    host.submit(this.#label, (pass) => {
      this.#dispatches.forEach((dispatch, i) => {
        this.#encode(pass, dispatch, this.#bindGroups[i], values);
      });
    });
    return this.#program.outputs.map((step) => values.get(step) as BufferStorage);
  }

  #encode(
    pass: GPUComputePassEncoder,
    { kernel, pipeline, workgroups, output, freed }: Dispatch,
    bindGroups: Map<string, GPUBindGroup>,
    values: Map<number, BufferStorage>,
  ): void {
    const target = this.host.pool.acquire(bytesOf(kernel.dtype, kernel.size));
    const bound = [...kernel.reads.map((step) => values.get(step) as BufferStorage), target];
    if (pipeline) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, this.#bindGroup(kernel, bound, bindGroups));
      pass.dispatchWorkgroups(...workgroups);
      this.host.counters.add("dispatches");
    }
    const spent = freed.map((step) => values.get(step)).filter((x) => x !== undefined);
    for (const step of freed) values.delete(step);
    values.set(output, target);
    for (const storage of spent) this.host.pool.release(storage);
  }

  #bindGroup(
    kernel: KernelCode,
    bound: readonly BufferStorage[],
    known: Map<string, GPUBindGroup>,
  ): GPUBindGroup {
    const key = bound.map(({ id }) => id).join();
    let group = known.get(key);
    if (!group) {
      if (known.size >= BIND_GROUP_LIMIT) known.clear();
      this.host.counters.add("bindGroups");
      group = this.host.device.createBindGroup({
        label: kernel.label,
        layout: this.host.pipelines.layout(kernel.reads.length),
        entries: bound.map(({ buffer }, binding) => ({ binding, resource: { buffer } })),
      });
      known.set(key, group);
    }
    return group;
  }
}

/** Stands for the kernel of a result without elements. */
function nothing(dtype: DType): KernelCode {
  const code = { label: "empty", code: "", shader: "", preludeLines: 0 };
  return { ...code, reads: [], workgroups: 0, size: 0, dtype };
}

/** Folds a linear grid that is longer than one dimension may be. */
function grid(workgroups: Stage["workgroups"]): readonly [number, number, number] {
  if (typeof workgroups !== "number") return workgroups;
  const x = Math.min(workgroups, 65535);
  return [x, x === 0 ? 0 : Math.ceil(workgroups / x), 1];
}
