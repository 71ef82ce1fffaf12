import { beforeAll, describe, expect, test } from "vitest";
import { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import type { ChooseInProgram } from "../../src/devices/webgpu/jobs.ts";
import type { GpuSession } from "../../src/devices/webgpu/session.ts";
import type { Family, Kernel, KernelChoice, Stage } from "../../src/forms/kernel.ts";
import {
  add,
  argmax,
  argmin,
  compile,
  type Device,
  init,
  logSoftmax,
  logSumExp,
  max,
  mean,
  min,
  moments,
  softmax,
  square,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { argReduce } from "../../src/kernels/arg-reduce.ts";
import { orderOf } from "../../src/kernels/candidates.ts";
import { rowMoments } from "../../src/kernels/moments.ts";
import { reduce, reduceParts } from "../../src/kernels/reduce.ts";
import { softmaxRows } from "../../src/kernels/softmax.ts";
import { type OpPart, stageOf } from "../../src/kernels/stage.ts";
import { standardRows } from "../../src/kernels/standardize.ts";
import { laneKernels } from "../../src/kernels/subgroup-rows.ts";
import { layerNorm } from "../../src/ops/index.ts";
import { expectWithin } from "../support/close.ts";
import { candidateWith } from "../support/kernel-families.ts";
import { tolerance } from "../support/op-case.ts";
import { compileKernel, type Numbers, openDevice } from "../support/raw-kernel.ts";
import { runStage, stagePrelude } from "../support/raw-stage.ts";
import { uniform } from "../support/reference.ts";
import { subgroupsOf } from "../support/subgroups.ts";

/** What rows are made of, and what an op adds: families, and a reference in float64 of a row. */
interface Rows {
  readonly family: Family;
  readonly functions: OpPart["functions"];
  readonly sizes?: Readonly<Record<string, number>>;
  /** For each result what it is of a row. */
  readonly of: readonly ((row: readonly number[]) => number[])[];
}

const total = (row: readonly number[]) => row.reduce((sum, x) => sum + x, 0);
const average = (row: readonly number[]) => total(row) / row.length;
const spread = (row: readonly number[]) => average(row.map((x) => (x - average(row)) ** 2));
const first = (row: readonly number[]) =>
  row.findIndex((x, i) => !row.some((y, j) => y > x || (y === x && j < i)));
const exponentials = (row: readonly number[]) => row.map((x) => Math.exp(x - Math.max(...row)));

const KINDS: Readonly<Record<string, Rows>> = {
  reduce: {
    family: reduce as unknown as Family,
    functions: { identity: "Acc()", combine: "a + b" },
    of: [(row) => [total(row)]],
  },
  argReduce: {
    family: argReduce as unknown as Family,
    functions: { better: "a > b" },
    of: [(row) => [first(row)], (row) => [Math.max(...row)]],
  },
  softmax: {
    family: softmaxRows as unknown as Family,
    functions: { finish: "g_exp(x - maximum) / sum" },
    sizes: { EACH: 1 },
    of: [
      (row) => exponentials(row).map((x) => x / total(exponentials(row))),
      (row) => [Math.max(...row) + Math.log(total(exponentials(row)))],
    ],
  },
  moments: {
    family: rowMoments as unknown as Family,
    functions: {},
    of: [(row) => [average(row)], (row) => [spread(row)]],
  },
  standardize: {
    family: standardRows as unknown as Family,
    functions: { scale_of: "1 / sqrt(variance + 0.01)" },
    of: [
      (row) => row.map((x) => (x - average(row)) / Math.sqrt(spread(row) + 0.01)),
      (row) => [1 / Math.sqrt(spread(row) + 0.01)],
    ],
  },
};

/** More than a workgroup of 64 has, of four lanes, and no multiple of that. */
const ROWS = 19;

let raw: GPUDevice;
let gpu: GpuDevice;
let cpu: Device;
beforeAll(async () => {
  raw = await openDevice();
  gpu = (await init({ device: "webgpu", isolated: true, tune: "off" })).device as GpuDevice;
  cpu = (await init({ device: "cpu", engine: "plain" })).device;
  expect(gpu.device.features.has("subgroups")).toBe(true);
});

function stage(choice: KernelChoice, { functions, sizes }: Rows, length: number): Stage {
  const problem = { dtype: "f32" as const, ROWS, LENGTH: length, ...sizes };
  return stageOf(choice, problem, { functions });
}

/** The kernels with a tree for a family's rows, and those that add as one invocation does. */
function kernelsOf({ family }: Rows, least: number, isTree: boolean): Kernel[] {
  return laneKernels(family, least, 1).filter(
    ({ files }) => !files.some(({ name }) => /lane-turns|quads/.test(name)) === isTree,
  );
}

/** What a stage gives is what a row is in float64, and what the kernel gives whose bits it promises. */
async function check(rows: Rows, choice: KernelChoice, length: number, size = 0): Promise<void> {
  const { family, of } = rows;
  const x = uniform(ROWS * length, 7 + length, -4, 4);
  const plain = orderOf(choice) === "direct" ? "direct" : "workgroup";
  const base = candidateWith(family, plain, { WORKGROUP: 64 });
  const own = stage(choice, rows, length);
  for (const [result, reference] of of.entries()) {
    // Compiling takes longer than anything else: of two results lengths take turns.
    if (result !== length % of.length) continue;
    const run = (one: Stage) => runStage(raw, one, [x], { limit: 3, result });
    const y = await run(size > 0 ? subgroupsOf(own, size) : own);
    const expected = Array.from({ length: ROWS }, (_, r) =>
      reference([...x.subarray(r * length, (r + 1) * length)]),
    ).flat();
    expectWithin(y, expected, (value) => tolerance(value, 4));
    expect(bits(y)).toEqual(bits(await run(stage(base, rows, length))));
  }
}

function bits({ buffer }: Numbers): number[] {
  return [...new Uint32Array(buffer)];
}

describe.each(Object.entries(KINDS))("rows of lanes: %s", (name, rows) => {
  test("four lanes, by a tree, at lengths beside multiples of four and of the tree", async () => {
    const [kernel] = kernelsOf(rows, 4, true);
    for (const length of [1, 3, 4, 5, 63, 65, 130]) {
      await check(rows, { kernel, candidate: kernel.candidates[length % 3] }, length);
    }
  });

  test("four lanes, as one invocation, where the order counts", async () => {
    const [kernel] = kernelsOf(rows, 4, false);
    expect(kernel === undefined).toBe(name === "argReduce");
    if (kernel)
      for (const length of [1, 3, 4, 5, 31, 34, 100, 131]) {
        await check(rows, { kernel, candidate: kernel.candidates[length % 3] }, length);
      }
  });

  // What no adapter here has is written in workgroup memory.
  test.each([8, 16, 32, 64])("%d lanes of subgroups of as many, and of more", async (lanes) => {
    const kernel = kernelsOf(rows, lanes, true).find(
      ({ candidates }) => candidates[0].LANES === lanes,
    ) as Kernel;
    const lengths = [lanes - 1, lanes, 2 * lanes + 1];
    for (const [turn, length] of lengths.entries()) {
      const candidate = kernel.candidates[turn];
      await check(rows, { kernel, candidate }, length, turn === 1 ? lanes : 2 * lanes);
    }
    const own = stage({ kernel, candidate: kernel.candidates[0] }, rows, 3 * lanes);
    const { source } = own.kernel.files[own.kernel.files.length - 1];
    await compileKernel(raw, stagePrelude(own), source);
  });
});

test("invocations that are left over store nothing", async () => {
  const x = uniform(ROWS * 9, 5);
  for (const isTree of [true, false]) {
    const [kernel] = kernelsOf(KINDS.reduce, 4, isTree);
    const own = stage({ kernel, candidate: kernel.candidates[2] }, KINDS.reduce, 9);
    const y = await runStage(raw, own, [x], { epilogue: "y[p0] + v" });
    const expected = Array.from({ length: ROWS }, (_, r) =>
      total([...x.subarray(9 * r, 9 * r + 9)]),
    );
    expectWithin(y, expected, (value) => tolerance(value, 4));
  }
});

test("chunks of long rows are those of one invocation", async () => {
  const [kernel] = laneKernels(reduceParts as unknown as Family, 4, 1);
  const x = uniform(3 * 150, 5);
  const problem = { dtype: "f32" as const, ROWS: 3, LENGTH: 150, CHUNK: 37 };
  const own = { functions: KINDS.reduce.functions };
  const base = candidateWith(reduceParts as unknown as Family, "direct", { WORKGROUP: 32 });
  const [y, expected] = await Promise.all(
    [{ kernel, candidate: kernel.candidates[0] }, base].map((choice) =>
      runStage(raw, stageOf(choice, problem as never, own), [x]),
    ),
  );
  expect(y).toHaveLength(15);
  expect(bits(y)).toEqual(bits(expected));
});

/** A device whose rows lanes own: by a tree, or as one invocation; else of kernels as they were. */
function device(isTree: boolean, hasLanes: boolean, taken: Set<string>): GpuDevice {
  const own = new GpuDevice(gpu.device, gpu.adapter, { kernels: isTree ? "workgroup" : "direct" });
  const session = own.session as GpuSession;
  const rule = session.choose;
  const choose: ChooseInProgram = (family, problem, group) => {
    const base = rule(family, problem);
    const wanted = isTree ? "workgroup" : "direct";
    const plain = family.kernels.find(({ kind }) => kind === wanted);
    if (!plain || !/(reduce|softmax|moments|standardize)/.test(plain.files.at(-1)?.name ?? ""))
      return base;
    const before = { kernel: plain, candidate: plain.candidates[isTree ? 0 : 2] };
    const values = family.joins === "elements" ? (group?.anchors.length ?? 1) : 1;
    const kernel = laneKernels(family, 4, values).find(
      (one) => orderOf({ kernel: one, candidate: one.candidates[0] }) === orderOf(before),
    );
    if (!hasLanes || !kernel) return before;
    taken.add(kernel.files.map(({ name }) => name).join(" "));
    return { kernel, candidate: kernel.candidates[isTree ? 0 : 2] };
  };
  session.choose = choose;
  return own;
}

const axis = { axis: 1 };
const OPS: readonly ((x: Tensor) => Tensor | readonly Tensor[])[] = [
  (x) => max(x, axis),
  (x) => argmax(x, axis),
  (x) => argmin(x, axis),
  (x) => [softmax(x), logSoftmax(x), logSumExp(x, axis)],
  (x) => Object.values(moments(x, axis)),
  (x) => layerNorm(x, x.shape[1]),
  // Kernels that compute several of the same rows.
  (x) => [sum(x, axis), sum(square(x), axis), mean(add(x, 1), axis)],
  (x) => [max(x, axis), min(x, axis)],
];

async function values(own: Device, rows: number, length: number): Promise<number[][]> {
  const numbers = uniform(rows * length, 5, -4, 4);
  numbers[1] = Number.NaN;
  numbers[length] = Number.POSITIVE_INFINITY;
  numbers[2 * length] = Number.NEGATIVE_INFINITY;
  numbers.fill(Number.NEGATIVE_INFINITY, 3 * length, 4 * length);
  numbers.fill(1, 4 * length, 5 * length); // all are best
  for (let i = 0; i < length; i++) numbers[5 * length + i] = i % 2 === 0 ? 0 : -0;
  const x = tensor(numbers, { shape: [rows, length], device: own });
  const found: number[][] = [];
  for (const op of OPS) {
    const results = await compile((x: Tensor) => [op(x)].flat())(x);
    for (const y of results) found.push([...(await y.data())]);
  }
  return found;
}

describe.each([
  ["a tree", true],
  ["one invocation", false],
])("ops whose rows four lanes own, in the place of %s", (_, isTree) => {
  test("give the same bits, of NaN, infinities, ties and zeros too", async () => {
    const taken = new Set<string>();
    for (const length of [5, 70]) {
      const before = await values(device(isTree, false, taken), 23, length);
      const after = await values(device(isTree, true, taken), 23, length);
      expect(after).toEqual(before);
      for (const [i, expected] of (await values(cpu, 23, length)).entries()) {
        expectWithin(after[i], expected, (y) => tolerance(y, 8));
      }
    }
    const all = [...taken].join(" ");
    const entries = isTree
      ? ["arg-reduce", "moments", "reduce", "softmax", "standardize"]
      : ["moments", "softmax", "standardize"];
    for (const entry of entries) expect(all).toContain(`shaders/${entry}-lanes.wgsl`);
    if (!isTree) expect(all).toContain("shaders/reduce-quads.wgsl");
    for (const n of [2, 3]) expect(all).toContain(`shaders/lib/lane-values-${n}.wgsl`);
  });
});
