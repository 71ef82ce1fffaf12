/*
 * Times every candidate of kernels on some problems, on plain buffers, and marks which one the rules take
 * there: what a tuner would go by. Run it with
 *   npx vite build . --ssr bench/kernels/candidates.ts --outDir node_modules/.cache/bench
 *   node node_modules/.cache/bench/candidates.js [family …]
 */
import { sizeOf } from "../../src/core/shape.ts";
import {
  describeAdapter,
  findAdapter,
  findGpu,
  requestDevice,
  TIMEOUT,
} from "../../src/devices/webgpu/adapter.ts";
import type { Family, KernelChoice, Problem, Stage } from "../../src/forms/kernel.ts";
import { argReduce } from "../../src/kernels/arg-reduce.ts";
import { byRule, choicesOf, traitsOf } from "../../src/kernels/choose.ts";
import { directProducts, products } from "../../src/kernels/matmul.ts";
import { rowMoments } from "../../src/kernels/moments.ts";
import { reduce } from "../../src/kernels/reduce.ts";
import { scatteredSums } from "../../src/kernels/scatter-add.ts";
import { softmaxRows } from "../../src/kernels/softmax.ts";
import { entryFile, type OpPart, stageOf } from "../../src/kernels/stage.ts";
import { compileKernel, encodeKernel, foldGrid } from "../../test/support/raw-kernel.ts";
import { stagePrelude } from "../../test/support/raw-stage.ts";

/** A family with sizes to try, and what an op adds to its kernels. */
interface Ladder {
  readonly family: Family;
  readonly sizes: readonly Readonly<Record<string, number>>[];
  readonly own?: OpPart;
}

const rows = [
  { ROWS: 100, LENGTH: 10 },
  { ROWS: 1, LENGTH: 100_000 },
  { ROWS: 1000, LENGTH: 1000 },
];
const ladders: Readonly<Record<string, Ladder>> = {
  matmul: {
    family: products,
    sizes: [
      { BATCH: 1, M: 100, N: 50, K: 784 },
      { BATCH: 1, M: 128, N: 256, K: 784 },
      { BATCH: 1, M: 512, N: 512, K: 512 },
    ],
  },
  reduce: {
    family: reduce,
    sizes: rows,
    own: { functions: { identity: "Acc()", combine: "a + b" } },
  },
  argReduce: { family: argReduce, sizes: rows, own: { functions: { better: "a > b" } } },
  softmax: {
    family: softmaxRows,
    sizes: rows,
    own: { functions: { finish: "g_exp(x - maximum) / sum" } },
  },
  moments: { family: rowMoments, sizes: rows },
  scatterAdd: { family: scatteredSums, sizes: [{ ROWS: 1000, COLUMNS: 64, COUNT: 64 }] },
};

/** Dispatches in a submit, and submits of which the best counts. */
const REPEATS = 4;
const ROUNDS = 5;

/** Milliseconds of the stages together, the best of some rounds; buffers hold zeros. */
async function timeStages(device: GPUDevice, stages: readonly Stage[]): Promise<number> {
  const usage = GPUBufferUsage.STORAGE;
  const held: GPUBuffer[] = [];
  const runs = await Promise.all(
    stages.map(async (stage) => {
      const { files } = stage.kernel;
      const { source } = files[files.length - 1];
      const pipeline = await compileKernel(device, stagePrelude(stage), source);
      const buffers = [...stage.results, ...stage.loads].map(({ extents }) =>
        device.createBuffer({ size: 4 * sizeOf(extents), usage }),
      );
      held.push(...buffers);
      return { pipeline, buffers, grid: foldGrid(stage.workgroups) };
    }),
  );
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const encoder = device.createCommandEncoder();
    for (let i = 0; i < REPEATS; i++) {
      for (const { pipeline, buffers, grid } of runs) {
        encodeKernel(device, encoder, pipeline, buffers, grid);
      }
    }
    const start = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    best = Math.min(best, (performance.now() - start) / REPEATS);
  }
  for (const buffer of held) buffer.destroy();
  return best;
}

/** What a choice is called. */
function labelOf({ kernel, candidate }: KernelChoice): string {
  const file = entryFile(kernel).replace(/^shaders\/|\.wgsl$/g, "");
  return `${file} ${Object.entries(candidate).flat().join(" ")}`;
}

async function openDevice(): Promise<{ device: GPUDevice; adapter: GPUAdapter }> {
  const adapter = await findAdapter(await findGpu());
  if (!adapter) throw new Error("candidates: no adapter; expected WebGPU");
  return { adapter, device: await requestDevice("candidates", adapter, TIMEOUT) };
}

const { device, adapter } = await openDevice();
const description = await describeAdapter(adapter);
const hasSubgroups = device.features.has("subgroups");
await directProducts.get();
const rule = byRule(traitsOf(description, hasSubgroups));
console.log(`${description.name}; milliseconds, * where the rules choose`);
const named = process.argv.slice(2);
for (const [name, { family, sizes, own }] of Object.entries(ladders)) {
  if (named.length > 0 && !named.includes(name)) continue;
  for (const size of sizes) {
    const problem: Problem = { dtype: "f32", ...size };
    const taken = labelOf(rule(family, problem));
    console.log(`\n${name} ${Object.entries(size).flat().join(" ")}`);
    for (const choice of choicesOf(family)) {
      if (choice.kernel.subgroups && !hasSubgroups) continue;
      const time = await timeStages(device, [stageOf(choice, problem, own)]);
      const label = labelOf(choice);
      console.log(`${label === taken ? "*" : " "} ${label.padEnd(48)} ${time.toFixed(3)}`);
    }
  }
}
device.destroy();
