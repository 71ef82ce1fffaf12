/** WGSL on a GPUDevice without any part of the engine: runs it, and times it. */
import {
  encodeKernel,
  type Grid,
  type Numbers,
  readBack,
  upload,
} from "../test/support/raw-kernel.ts";

/** Compiles a kernel; throws its compiler's errors. */
export async function pipelineOf(device: GPUDevice, code: string): Promise<GPUComputePipeline> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const made = device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const scope = device.popErrorScope();
  made.catch(() => {}); // told below
  const error = await scope;
  if (error) throw new Error(error.message);
  return made;
}

/** Runs a kernel whose binding 0 is the result `y` and whose binding 1 is `x`. */
export async function runOnce(
  device: GPUDevice,
  code: string,
  x: Numbers,
  y: Numbers,
  workgroups: Grid = [1, 1, 1],
): Promise<Numbers> {
  const pipeline = await pipelineOf(device, code);
  const buffers = [upload(device, y), upload(device, x)];
  const encoder = device.createCommandEncoder();
  encodeKernel(device, encoder, pipeline, buffers, workgroups);
  const result = await readBack(device, encoder, buffers[0], y);
  for (const buffer of buffers) buffer.destroy();
  return result;
}

/** Milliseconds from now until all that was submitted is done. */
async function submitted(device: GPUDevice, encode: (encoder: GPUCommandEncoder) => void) {
  const encoder = device.createCommandEncoder();
  encode(encoder);
  const start = performance.now();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
  return performance.now() - start;
}

/** Milliseconds that an empty submit takes to be known as done: the least of some. */
export async function latencyOf(device: GPUDevice): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 8; i++) times.push(await submitted(device, () => {}));
  return Math.min(...times);
}

/** A round lasts at least this long, in milliseconds, and so many latencies. */
const [ROUND_MS, ROUND_LATENCIES] = [20, 4];
/** No submit has more runs than this. */
const MOST_RUNS = 20_000;

/** Milliseconds of one run: the least of some rounds of as many runs as fill one. */
export async function timeRuns(
  device: GPUDevice,
  encode: (encoder: GPUCommandEncoder, runs: number) => void,
  rounds = 3,
): Promise<number> {
  const latency = await latencyOf(device);
  const enough = Math.max(ROUND_MS, ROUND_LATENCIES * latency);
  const time = async (runs: number) =>
    Math.max(1e-6, (await submitted(device, (encoder) => encode(encoder, runs))) - latency);
  let runs = 1;
  await time(runs); // the first run may clear memory and compile
  let best = await time(runs);
  while (best * runs < enough && runs < MOST_RUNS) {
    const wanted = Math.ceil((1.2 * enough) / best);
    runs = Math.min(MOST_RUNS, 8 * runs, Math.max(runs + 1, wanted));
    best = (await time(runs)) / runs;
  }
  for (let round = 1; round < rounds; round++) best = Math.min(best, (await time(runs)) / runs);
  return best;
}

/** Encodes runs of a pipeline on the same buffers in one pass. */
export function encodeRuns(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  buffers: readonly GPUBuffer[],
  [x, y, z]: Grid,
): (encoder: GPUCommandEncoder, runs: number) => void {
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return (encoder, runs) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < runs; i++) pass.dispatchWorkgroups(x, y, z);
    pass.end();
  };
}
