import type { Check, Context } from "../context.ts";
import { encodeRuns, latencyOf, pipelineOf, timeRuns } from "../raw.ts";

/** A kernel that does next to nothing. */
const TINY = `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() { y[0] += 1f; }`;

/** From how many microseconds on a cost counts as slow on a GPU. */
const SLOW_US = { dispatch: 100, submit: 1000, done: 20_000, read: 20_000, write: 200 };

/** The least time of some calls, in milliseconds of one. */
async function least(times: number, call: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await call();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

function tell(context: Context, name: string, milliseconds: number, slow: number, text: string) {
  const figure = 1000 * milliseconds;
  const verdict = figure > slow && !context.isSoftware ? "slow" : "ok";
  context.line({ name, verdict, text, figure, unit: "µs", isLessBetter: true });
}

/** What it costs to have the GPU do anything at all. */
export const costs: Check = {
  name: "Costs",
  seconds: { quick: 1, full: 3 },
  run: async (context) => {
    const device = await context.bench.gpu();
    const { queue } = device;
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const buffer = device.createBuffer({ size: 256, usage: STORAGE | COPY_SRC | COPY_DST });
    const pipeline = await pipelineOf(device, TINY);
    const encode = encodeRuns(device, pipeline, [buffer], [1, 1, 1]);

    const dispatch = await timeRuns(device, encode, context.isQuick ? 2 : 5);
    tell(context, "a dispatch", dispatch, SLOW_US.dispatch, "one after the other in a pass");

    const submits = 50;
    const submit = await least(context.isQuick ? 2 : 5, async () => {
      for (let i = 0; i < submits; i++) {
        const encoder = device.createCommandEncoder();
        encode(encoder, 1);
        queue.submit([encoder.finish()]);
      }
      await queue.onSubmittedWorkDone();
    });
    tell(
      context,
      "a submit",
      submit / submits,
      SLOW_US.submit,
      "of a pass with one dispatch, encoded anew",
    );

    const done = await latencyOf(device);
    tell(
      context,
      "to know that work is done",
      done,
      SLOW_US.done,
      "onSubmittedWorkDone of nothing",
    );

    const staging = device.createBuffer({ size: 4, usage: MAP_READ | COPY_DST });
    const read = await least(context.isQuick ? 5 : 20, async () => {
      const encoder = device.createCommandEncoder();
      encode(encoder, 1);
      encoder.copyBufferToBuffer(buffer, 0, staging, 0, 4);
      queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      staging.unmap();
    });
    tell(context, "to read one number", read, SLOW_US.read, "a dispatch, a copy and mapAsync");

    const writes = 200;
    const four = new Float32Array(1);
    const write = await least(context.isQuick ? 2 : 5, async () => {
      for (let i = 0; i < writes; i++) queue.writeBuffer(buffer, 0, four);
      await queue.onSubmittedWorkDone();
    });
    tell(context, "to write one number", write / writes, SLOW_US.write, "writeBuffer");

    const bytes = (context.isQuick ? 4 : 16) * 2 ** 20;
    const values = new Uint8Array(bytes);
    const large = device.createBuffer({ size: bytes, usage: STORAGE | COPY_DST });
    const upload = await least(context.isQuick ? 2 : 5, async () => {
      queue.writeBuffer(large, 0, values);
      await queue.onSubmittedWorkDone();
    });
    const figure = bytes / upload / 1e6;
    const verdict = figure < 0.5 && !context.isSoftware ? "slow" : "ok";
    context.line({
      name: "uploads",
      verdict,
      text: `${bytes / 2 ** 20} MiB at once`,
      figure,
      unit: "GB/s",
    });
    for (const made of [buffer, staging, large]) made.destroy();
  },
};
