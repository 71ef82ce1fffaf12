import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { jobsOf } from "../../src/devices/webgpu/jobs.ts";
import { lower } from "../../src/engine/lower.ts";
import { trace } from "../../src/engine/program.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import type { Stage } from "../../src/forms/kernel.ts";
import type { Traits } from "../../src/forms/traits.ts";
import {
  argmin,
  cumSum,
  type DType,
  full,
  gather,
  grad,
  logSoftmax,
  logSumExp,
  matmul,
  max,
  neg,
  scaledDotProductAttention,
  sort,
  sum,
  type Tensor,
  tensor,
  topK,
  transpose,
  variance,
} from "../../src/index.ts";
import { byRule } from "../../src/kernels/choose.ts";
import { directProducts, moreTiles } from "../../src/kernels/matmul.ts";
import { testDevice } from "../support/device.ts";

beforeAll(async () => {
  await testDevice();
  await Promise.all([directProducts.get(), moreTiles.get()]);
});

/** Adapters by what is known of them: GPUs, those of the compatibility mode, mobile GPUs, and what a CPU emulates, by default and forced. */
const adapters: Record<string, Traits> = {
  gpu: { workgroupMemory: true, threads: 64, quads: false },
  compatibility: { workgroupMemory: true, threads: 64, quads: false, invocations: 128 },
  mobile: { workgroupMemory: false, threads: 64, quads: false },
  emulated: { workgroupMemory: false, threads: 16, quads: true },
  "emulated, no subgroups": { workgroupMemory: false, threads: 16, quads: false },
  "emulated, forced": { workgroupMemory: true, threads: 16, quads: true },
};

const of = (shape: number[], dtype: DType = "f32") => full(shape, 1, { dtype });
const alongRows = (op: (x: Tensor) => Tensor, dtype?: DType) => {
  return (shape: number[]) => op(of(shape, dtype));
};

const sorts = [1, 64, 65, 256, 257, 5000].map((n) => [20, n]);

/** Calls of an op on inputs of given sizes; what is chosen is recorded for each. */
const ops: Record<string, { run: (sizes: number[]) => Tensor; sizes: number[][] }> = {
  sum: { run: alongRows((x) => sum(x, { axis: 1 })), sizes: rowSizes([1, 63, 64]) },
  "max of i32": { run: alongRows((x) => max(x, { axis: 1 }), "i32"), sizes: [[5, 200]] },
  argmin: {
    run: alongRows((x) => argmin(x, { axis: 1 })),
    sizes: [...rowSizes([100]), [2 ** 14 - 1, 4], [2 ** 14, 4]],
  },
  logSoftmax: { run: alongRows((x) => logSoftmax(x)), sizes: rowSizes([100]) },
  logSumExp: { run: alongRows((x) => logSumExp(x, { axis: 1 })), sizes: rowSizes([100]) },
  cumSum: { run: alongRows((x) => cumSum(x)), sizes: [20, 100].flatMap(scanSizes) },
  variance: { run: alongRows((x) => variance(x, { axis: 1 })), sizes: sorts },
  sort: { run: alongRows((x) => sort(x).values), sizes: sorts },
  "top 9": { run: alongRows((x) => topK(x, 9).values), sizes: sorts.slice(1) },
  matmul: { run: ([b, m, k, n]) => matmul(of([b, m, k]), of([b, k, n])), sizes: productSizes() },
  "adjoint of gather": {
    run: scattered,
    sizes: [
      [1, 1, 1],
      [1024, 32, 32],
      [1023, 32, 33],
      [16_383, 32, 32],
      [16_384, 31, 33],
      [50_000, 64, 4096],
    ],
  },
  neg: {
    run: alongRows((x) => neg(x)),
    sizes: [5, 2 ** 14 - 1, 2 ** 14, 2 ** 18 - 1, 2 ** 18, 2 ** 22].map((n) => [n]),
  },
  attention: { run: ([b, l, e]) => attend(of([b, l, e])), sizes: attentionSizes() },
  "gradients of attention": { run: gradientOfAttention, sizes: attentionSizes().slice(1, 3) },
  "transpose of u8": {
    run: bytes,
    sizes: [
      [5, 1],
      [2 ** 17, 2],
      [2 ** 19, 2],
    ],
  },
};

function rowSizes(rows: number[]): number[][] {
  const lengths = [1, 10, 33, 37, 63, 64, 65, 128, 129, 784, 1024, 1025, 8192, 8193, 20_000, 2e6];
  return rows.flatMap((n) => lengths.map((length) => [n, length]));
}

/** Lengths around those at which rows are cut into runs, and larger workgroups. */
function scanSizes(rows: number): number[][] {
  return [1, 128, 129, 256, 257, 2048, 2049].map((length) => [rows, length]);
}

/** [batch, m, k, n] around every switch. */
function productSizes(): number[][] {
  return [
    [1, 1, 1, 1],
    [1, 100, 784, 50],
    [1, 784, 100, 50],
    [1, 100, 50, 10],
    [1, 50, 100, 10],
    [1, 64, 784, 128],
    [1, 784, 64, 128],
    [1, 128, 784, 256],
    [1, 20, 2048, 16],
    [1, 16, 2048, 17],
    [1, 15, 2048, 17],
    [1, 32, 1024, 16],
    [1, 60, 600, 60],
    [1, 79, 600, 60],
    [1, 80, 600, 60],
    [1, 81, 600, 60],
    [1, 511, 7, 512],
    [1, 512, 8, 512],
    [1, 512, 16, 513],
    [1, 512, 512, 512],
    [1, 2048, 768, 768],
    [1, 4096, 4096, 4096],
    [1, 16, 4096, 4096],
    [1, 4096, 4096, 10],
    [64, 512, 64, 512],
    [3, 33, 5, 7],
    [8, 128, 64, 128],
    [1, 4, 2 ** 17, 4],
    [1, 4, 2 ** 17 + 1, 4],
  ];
}

function attend(x: Tensor): Tensor {
  return scaledDotProductAttention(x, x, x);
}

function gradientOfAttention([b, l, e]: number[]): Tensor {
  const x = of([b, l, e]);
  return grad(sum(attend(x)), [x])[0];
}

/** [parts, rows, columns] around every switch. */
function attentionSizes(): number[][] {
  return [
    [1, 1, 4],
    [32, 32, 16],
    [8, 33, 64],
    [8, 33, 65],
    [8, 100, 129],
    [8, 100, 256],
    [8, 100, 257],
    [1, 63, 8],
    [1, 64, 8],
  ];
}

function bytes([m, n]: number[]): Tensor {
  return transpose(tensor(new Uint8Array(m * n), { shape: [m, n] }));
}

function scattered([rows, columns, count]: number[]): Tensor {
  const x = of([rows, columns]);
  return grad(sum(gather(x, of([count], "i32"))), [x])[0];
}

/** The kernel that is chosen, its grid and numbers, and where its accessors are guarded. */
function describeStage({ kernel, type, ...stage }: Stage): string {
  const { name } = kernel.files[kernel.files.length - 1];
  const { workgroups, threads, memory = 0, constants, loads, results } = stage;
  const numbers = Object.entries(constants).map(([key, value]) => `${key}=${value}`);
  const guards = [...loads, ...results].flatMap(({ name, ragged = [] }) =>
    ragged.some(Boolean) ? `${name}:${ragged.map((is) => (is ? "r" : "-")).join("")}` : [],
  );
  const file = name.replace(/^shaders\/|\.wgsl$/g, "");
  const grid = `${workgroups}×${threads}`;
  return [file, type, grid, `${memory}B`, ...numbers.sort(), ...guards].join(" ");
}

function chosen(y: Tensor, traits: Traits): string {
  const plan = scheduleOf(lower(trace([y.node], "test").program, traits), 8);
  const jobs = jobsOf(plan, byRule(traits));
  return jobs.map(({ stage }) => describeStage(stage)).join(" → ");
}

/** One line for each choice, behind the adapters for which it is made. */
function table(): string {
  const lines: string[] = [];
  for (const [name, { run, sizes }] of Object.entries(ops)) {
    for (const size of sizes) {
      lines.push(`${name} ${size.join("×")}`);
      const made = new Map<string, string[]>();
      for (const [adapter, traits] of Object.entries(adapters)) {
        const choice = chosen(run(size), traits);
        made.set(choice, [...(made.get(choice) ?? []), adapter]);
      }
      for (const [choice, by] of made) lines.push(`  ${by.join("; ")}: ${choice}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

test("tiles serve where products by direct loads are not loaded", () => {
  const { loaded } = directProducts;
  const y = ops.matmul.run([1, 100, 784, 50]);
  try {
    directProducts.loaded = null;
    expect(chosen(y, adapters.mobile)).toBe(chosen(y, adapters.gpu));
  } finally {
    directProducts.loaded = loaded;
  }
  expect(chosen(y, adapters.mobile)).not.toBe(chosen(y, adapters.gpu));
});

test("the kernels that are chosen are those of the table", async () => {
  const path = join(import.meta.dirname, "../fixtures/kernel-choices.txt");
  expect(existsSync(path)).toBe(true);
  await expect(table()).toMatchFileSnapshot(path);
});
