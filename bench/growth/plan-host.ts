import { PipelineCache } from "../../src/devices/webgpu/pipelines.ts";
import type { PlanHost } from "../../src/devices/webgpu/plan.ts";
import { byRule } from "../../src/kernels/choose.ts";

/** What a plan for WebGPU needs to be made where there is none: it cannot run. */
export function planHost(): PlanHost {
  const limits = {
    maxStorageBuffersPerShaderStage: 10,
    maxComputeWorkgroupStorageSize: 16_384,
    maxBufferSize: 2 ** 28,
    maxStorageBufferBindingSize: 2 ** 27,
  };
  const traits = { workgroupMemory: true, threads: 64, quads: false };
  const host = { device: { limits }, traits, choose: byRule(traits) };
  const pipelines = new PipelineCache(host as never, host as never);
  return { ...host, pipelines } as unknown as PlanHost;
}
