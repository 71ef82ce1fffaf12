/** Runs one WGSL kernel on the page's own adapter, without any part of the engine. */
import { PRELUDE } from "../../src/kernels/shaders.ts";

export type Numbers = Float32Array | Int32Array | Uint32Array;
export type Grid = readonly [number, number, number];

/** What a kernel run needs: the first binding is the output, the others are inputs. */
export interface KernelRun {
  /** What the host writes in front of the kernel: constants, accessors, functions. */
  prelude: string;
  source: string;
  output: Numbers;
  inputs: readonly Numbers[];
  workgroups: Grid;
}

/** Opens a device with everything that its adapter has. */
export async function openDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error("openDevice: no adapter; expected WebGPU to be enabled");
  const requiredLimits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof value === "number") requiredLimits[name] = value;
  }
  const requiredFeatures = [...adapter.features].filter((name) => name === "subgroups");
  return adapter.requestDevice({ requiredLimits, requiredFeatures });
}

/** Compiles a kernel; throws on any message of the compiler, warnings included. */
export async function compileKernel(device: GPUDevice, prelude: string, source: string) {
  const module = device.createShaderModule({ code: `${prelude}\n${source}` });
  const { messages } = await module.getCompilationInfo();
  if (messages.length > 0) {
    throw new Error(messages.map((m) => `${m.type} ${m.lineNum}: ${m.message}`).join("\n"));
  }
  return device.createComputePipelineAsync({ layout: "auto", compute: { module } });
}

/** Runs a kernel once and gives back its output. */
export async function runKernel(device: GPUDevice, run: KernelRun): Promise<Numbers> {
  const pipeline = await compileKernel(device, run.prelude, run.source);
  const arrays = [run.output, ...run.inputs];
  const buffers = arrays.map((array) => upload(device, array));
  device.pushErrorScope("validation");
  const encoder = device.createCommandEncoder();
  encodeKernel(device, encoder, pipeline, buffers, run.workgroups);
  const error = device.popErrorScope();
  const result = await readBack(device, encoder, buffers[0], run.output);
  for (const buffer of buffers) buffer.destroy();
  const message = (await error)?.message;
  if (message !== undefined) throw new Error(message);
  return result;
}

/** Encodes one dispatch of a pipeline in a pass of its own; binding i is buffer i. */
export function encodeKernel(
  device: GPUDevice,
  encoder: GPUCommandEncoder,
  pipeline: GPUComputePipeline,
  buffers: readonly GPUBuffer[],
  workgroups: Grid,
): void {
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(...workgroups);
  pass.end();
}

/** Makes a storage buffer that holds the array. */
export function upload(device: GPUDevice, array: Numbers): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: array.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, array as Numbers & ArrayBufferView<ArrayBuffer>);
  return buffer;
}

/** Submits the encoder's commands and reads a buffer into an array of the kind of `like`. */
export async function readBack(
  device: GPUDevice,
  encoder: GPUCommandEncoder,
  buffer: GPUBuffer,
  like: Numbers,
): Promise<Numbers> {
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const staging = device.createBuffer({ size: like.byteLength, usage });
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, like.byteLength);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const Kind = like.constructor as new (data: ArrayBuffer) => Numbers;
  const result = new Kind(staging.getMappedRange().slice(0));
  staging.destroy();
  return result;
}

/** Folds a linear number of workgroups into at most 65,535 (or `limit`) a dimension. */
export function foldGrid(count: number, limit = 65_535): Grid {
  if (count <= limit) return [count, 1, 1];
  const rows = Math.ceil(count / limit);
  return [Math.ceil(count / rows), rows, 1];
}

/** Writes `const NAME = 1u;` lines, and what every kernel begins with. */
export function prelude(constants: Record<string, number>, type = "f32"): string {
  const lines = Object.entries(constants).map(([name, value]) => `const ${name} = ${value}u;`);
  return `alias Acc = ${type};\n${lines.join("\n")}\n${PRELUDE.source}`;
}

/** Declares binding 0 as the output `y`, and the following bindings as inputs by name. */
export function bindings(output: string, ...inputs: readonly (readonly [string, string])[]) {
  const lines = inputs.map(
    ([name, type], i) => `@group(0) @binding(${i + 1}) var<storage, read> ${name}: array<${type}>;`,
  );
  return `@group(0) @binding(0) var<storage, read_write> y: array<${output}>;
${lines.join("\n")}
`;
}
