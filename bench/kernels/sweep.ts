import { encodeRuns, pipelineOf, timeRuns } from "../../doctor/raw.ts";
import { sizeOf } from "../../src/core/shape.ts";
import {
  describeAdapter,
  findAdapter,
  findGpu,
  requestDevice,
  TIMEOUT,
} from "../../src/devices/webgpu/adapter.ts";
import type { Candidate, Family, KernelChoice, Problem, Stage } from "../../src/forms/kernel.ts";
import { argReduce } from "../../src/kernels/arg-reduce.ts";
import { choicesOf } from "../../src/kernels/candidates.ts";
import { byRule, traitsOf } from "../../src/kernels/choose.ts";
import { directProducts, moreTiles, products } from "../../src/kernels/matmul.ts";
import { rowMoments } from "../../src/kernels/moments.ts";
import { reduce } from "../../src/kernels/reduce.ts";
import { scatteredSums } from "../../src/kernels/scatter-add.ts";
import { softmaxRows } from "../../src/kernels/softmax.ts";
import { entryFile, type OpPart, stageOf } from "../../src/kernels/stage.ts";
import { standardRows } from "../../src/kernels/standardize.ts";
import { lanesOf, subgroupChoices } from "../../src/kernels/subgroup-trees.ts";
import { foldGrid } from "../../test/support/raw-kernel.ts";
import { stagePrelude } from "../../test/support/raw-stage.ts";

type Sizes = Readonly<Record<string, number>>;

/** A family with sizes to try, and what an op adds to its kernels. */
interface Ladder {
  readonly family: Family;
  readonly sizes: readonly Sizes[];
  readonly own?: OpPart;
}

/** Products: squares, those of training forward and backward, wide ones, deep ones, and many small ones. */
const PRODUCTS: readonly (readonly [batch: number, m: number, n: number, k: number])[] = [
  [1, 100, 50, 784],
  [1, 784, 50, 100],
  [1, 128, 512, 784],
  [1, 784, 512, 128],
  [1, 128, 784, 512],
  [1, 512, 512, 512],
  [1, 1024, 1024, 1024],
  [1, 2048, 2048, 2048],
  [1, 4096, 4096, 4096],
  [1, 8, 4096, 4096],
  [1, 64, 64, 16384],
  [64, 128, 128, 32],
];

const rows = [
  { ROWS: 100, LENGTH: 10 },
  { ROWS: 1, LENGTH: 100_000 },
  { ROWS: 1000, LENGTH: 1000 },
  { ROWS: 4096, LENGTH: 128 },
];

const LADDERS: Readonly<Record<string, Ladder>> = {
  matmul: {
    family: products as unknown as Family,
    sizes: PRODUCTS.map(([BATCH, M, N, K]) => ({ BATCH, M, N, K })),
  },
  reduce: {
    family: reduce as unknown as Family,
    sizes: rows,
    own: { functions: { identity: "Acc()", combine: "a + b" } },
  },
  argReduce: {
    family: argReduce as unknown as Family,
    sizes: rows,
    own: { functions: { better: "a > b" } },
  },
  softmax: {
    family: softmaxRows as unknown as Family,
    sizes: rows.map((size) => ({ ...size, EACH: 1 })),
    own: { functions: { finish: "g_exp(x - maximum) / sum" } },
  },
  moments: { family: rowMoments as unknown as Family, sizes: rows },
  standardize: {
    family: standardRows as unknown as Family,
    sizes: rows,
    own: { functions: { scale_of: "1 / sqrt(variance + 1e-5)" } },
  },
  scatterAdd: {
    family: scatteredSums as unknown as Family,
    sizes: [{ ROWS: 1000, COLUMNS: 64, COUNT: 64 }],
  },
};

/** How long one candidate took on one problem, or why it did not run. */
interface Timed {
  readonly file: string;
  readonly kind: string;
  readonly candidate: Candidate;
  /** Milliseconds of one run, the best of some rounds. */
  readonly milliseconds?: number;
  readonly failed?: string;
  /** Whether the rules choose it. */
  readonly taken: boolean;
}

/** All candidates of a family on one problem. */
export interface Swept {
  readonly family: string;
  readonly sizes: Sizes;
  readonly candidates: readonly Timed[];
}

/** What candidates take on an adapter: what a first choice can go by. */
export interface SweepReport {
  readonly format: "gradus-candidates/1";
  readonly date: string;
  readonly adapter: { readonly name: string; readonly software: boolean };
  readonly swept: readonly Swept[];
}

/** What a sweep is told. */
export interface SweepOptions {
  /** Families by name; all when left out. */
  readonly only?: RegExp;
  /** Problems of more multiplications are left out. */
  readonly most?: number;
  /** After so many seconds no other candidate is begun. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
}

/** Multiplications, or elements, of a problem. */
const workOf = (sizes: Sizes) =>
  Object.entries(sizes).reduce((work, [name, n]) => (name === "EACH" ? work : work * n), 1);

/** What a choice is called. */
export function labelOf({ kernel, candidate }: KernelChoice): string {
  const file = entryFile(kernel).replace(/^shaders\/|\.wgsl$/g, "");
  return `${file} ${Object.entries(candidate).flat().join(" ")}`;
}

/** Milliseconds of a stage, the best of some rounds; buffers hold zeros. */
async function timeStage(device: GPUDevice, stage: Stage): Promise<number> {
  const { files } = stage.kernel;
  const code = `${stagePrelude(stage)}\n${files[files.length - 1].source}`;
  const pipeline = await pipelineOf(device, code);
  const usage = GPUBufferUsage.STORAGE;
  // Results that nothing stores have no binding.
  const accessors = [stage.results[0], ...stage.loads];
  const buffers = accessors.map(({ extents }) =>
    device.createBuffer({ size: Math.max(4, 4 * sizeOf(extents)), usage }),
  );
  try {
    const grid = foldGrid(stage.workgroups);
    return await timeRuns(device, encodeRuns(device, pipeline, buffers, grid), 2);
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

/** Times every candidate on every problem; tells each problem when it is done, with all that is known by then. */
export async function sweepCandidates(
  {
    only,
    most = Number.POSITIVE_INFINITY,
    seconds = Number.POSITIVE_INFINITY,
    signal,
  }: SweepOptions,
  told: (swept: Swept, report: SweepReport) => void,
): Promise<SweepReport> {
  const adapter = await findAdapter(await findGpu());
  if (!adapter) throw new Error("candidates: no adapter; expected WebGPU");
  const device = await requestDevice("candidates", adapter, TIMEOUT);
  const { features, limits } = device;
  const description = await describeAdapter(adapter);
  const { name, software } = description;
  await Promise.all([directProducts.get(), moreTiles.get()]);
  const rule = byRule(traitsOf(description, device));
  const lanes = lanesOf(device);
  const swept: Swept[] = [];
  const date = new Date().toISOString();
  const report = {
    format: "gradus-candidates/1",
    date,
    adapter: { name, software },
    swept,
  } as const;
  const began = performance.now();
  const isOver = () => signal?.aborted || performance.now() - began > 1000 * seconds;
  for (const [family, ladder] of Object.entries(LADDERS)) {
    if (only && !only.test(family)) continue;
    for (const sizes of ladder.sizes) {
      if (workOf(sizes) > most || isOver()) continue;
      const problem: Problem = { dtype: "f32", ...sizes };
      const taken = labelOf(rule(ladder.family, problem));
      const candidates: Timed[] = [];
      const choices = [...choicesOf(ladder.family), ...subgroupChoices(ladder.family, lanes)];
      for (const choice of choices) {
        const { kernel, candidate } = choice;
        if (kernel.fits?.(problem) === false) continue;
        const facts = { file: entryFile(kernel), kind: kernel.kind, candidate };
        const isTaken = labelOf(choice) === taken;
        try {
          if (isOver()) throw new Error("no time left");
          const stage = stageOf(choice, problem, ladder.own);
          if (kernel.subgroups && !features.has("subgroups")) throw new Error("no subgroups");
          if ((stage.memory ?? 0) > limits.maxComputeWorkgroupStorageSize) {
            throw new Error("more workgroup memory than there is");
          }
          const milliseconds = await timeStage(device, stage);
          candidates.push({ ...facts, milliseconds, taken: isTaken });
        } catch (error) {
          const [failed] = (error as Error).message.split("\n");
          candidates.push({ ...facts, failed, taken: isTaken });
        }
      }
      swept.push({ family, sizes, candidates });
      told(swept[swept.length - 1], report);
    }
  }
  device.destroy();
  return report;
}

/** A problem's candidates as text, the fastest first, * where the rules choose. */
export function sweptText({ family, sizes, candidates }: Swept): string {
  const time = ({ milliseconds = Number.POSITIVE_INFINITY }: Timed) => milliseconds;
  const flops = family === "matmul" ? 2 * workOf(sizes) : 0;
  const lines = [...candidates]
    .sort((a, b) => time(a) - time(b))
    .map((timed) => {
      const { file, candidate, milliseconds, failed, taken } = timed;
      const label = `${file.replace(/^shaders\/|\.wgsl$/g, "")} ${Object.entries(candidate).flat().join(" ")}`;
      const rate =
        milliseconds && flops ? `  ${(flops / milliseconds / 1e6).toFixed(1)} GFLOP/s` : "";
      const told = milliseconds === undefined ? failed : `${milliseconds.toFixed(4)} ms${rate}`;
      return `${taken ? "*" : " "} ${label.padEnd(52)} ${told}`;
    });
  return [`${family} ${Object.entries(sizes).flat().join(" ")}`, ...lines].join("\n");
}
