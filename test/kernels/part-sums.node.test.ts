import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { TensorType } from "../../src/core/tensor-type.ts";
import { jobsOf } from "../../src/devices/webgpu/jobs.ts";
import { pack } from "../../src/devices/webgpu/pack.ts";
import type { EngineDevice } from "../../src/engine/device.ts";
import { lower } from "../../src/engine/lower.ts";
import { type Program, trace } from "../../src/engine/program.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import {
  add,
  init,
  matmul,
  mul,
  relu,
  setDefaultDevice,
  softmax,
  square,
  sum,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from "../../src/index.ts";
import { byRule, productParts } from "../../src/kernels/choose.ts";
import { moreTiles } from "../../src/kernels/matmul.ts";
import type { ProductProblem } from "../../src/kernels/problems.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { Linear, Sequential } from "../../src/nn/index.ts";
import { stepProgram, TRAITS } from "../support/plan-kernels.ts";

let device: EngineDevice;
let tiles: NonNullable<typeof moreTiles.loaded>;
beforeAll(async () => {
  device = (await init({ device: "cpu", isolated: true })).device as EngineDevice;
  setDefaultDevice(device);
  tiles = await moreTiles.get();
});
afterEach(() => moreTiles.put(tiles));

/** Numbers that are there; plans do not depend on which. */
function f32(...shape: number[]): Tensor {
  return tensor(new Float32Array(shape.reduce((a, b) => a * b)), { shape });
}

function programOf(...outputs: Tensor[]): Program {
  const nodes = outputs.map(({ node }) => node);
  return simplify(trace(nodes, "test").program);
}

/** The dispatches of a program where parts are summed by a kernel, and where whoever loads adds them. */
function dispatches(program: Program, kind: keyof typeof TRAITS = "workgroup"): number[] {
  return [null, tiles].map((loaded) => {
    moreTiles.loaded = loaded;
    const schedule = scheduleOf(lower(program, TRAITS[kind]), 10);
    const jobs = jobsOf(schedule, byRule(TRAITS[kind]));
    return pack(jobs, { bindings: 10, memory: 16384 }).length;
  });
}

/** [256, 8192] · [8192, 128], of 32 tiles, and so in 8 parts. */
const product = () => matmul(f32(256, 8192), f32(8192, 128));

describe("consumers add the few parts of a product, and there is a dispatch less", () => {
  test("where rows are summed, in order or not", () => {
    expect(dispatches(programOf(sum(square(product()), { axis: 1 })))).toEqual([3, 2]);
    expect(dispatches(programOf(sum(product(), { axis: 0 })))).toEqual([3, 2]);
  });

  test("where rows become softmax, with a bias", () => {
    const logits = (rows: number, depth: number) =>
      programOf(softmax(add(matmul(f32(rows, depth), f32(depth, 10)), f32(10))));
    expect(dispatches(logits(64, 1024))).toEqual([3, 2]); // 4 parts
    expect(dispatches(logits(64, 2048))).toEqual([3, 2]); // 8 parts
    expect(dispatches(logits(1024, 16384))).toEqual([3, 2]); // 8 parts
    expect(dispatches(logits(32, 16384))).toEqual([3, 3]); // 64 parts
  });

  test("where elements are moved on their way", () => {
    expect(dispatches(programOf(add(transpose(product()), f32(128, 256))))).toEqual([3, 2]);
  });
});

describe("consumers add no parts", () => {
  test("where a product would load them for each of its tiles", () => {
    expect(dispatches(programOf(matmul(relu(product()), f32(128, 10))))).toEqual([3, 3]);
  });

  test("where several kernels would: the sums are stored once", () => {
    const y = product();
    expect(dispatches(programOf(softmax(y), sum(y, { axis: 0 })))).toEqual([3, 3]);
  });

  test("where that is one kernel already, as with an update", () => {
    expect(dispatches(programOf(add(mul(product(), -0.1), f32(256, 128))))).toEqual([2, 2]);
  });

  test("on adapters without tiles", () => {
    const program = programOf(softmax(matmul(f32(10, 16384), f32(16384, 10))));
    expect(lower(program, TRAITS.direct).steps.map(({ op }) => op?.name)).toContain("sum");
    for (const kind of ["direct", "mobile"] as const) {
      const [before, after] = dispatches(program, kind);
      expect(after).toBe(before);
    }
  });

  test("of fewer sums than a tree of a workgroup gets", () => {
    const names = (rows: number) =>
      lower(programOf(matmul(f32(40, rows, 4096), f32(40, 4096, 1))), TRAITS.workgroup).steps.map(
        ({ op }) => op?.name,
      );
    expect(names(1)).toContain("sum");
    expect(names(1)).not.toContain("slice");
    expect(names(2)).toContain("slice");
  });
});

test("a training step on a large batch, whose gradients are sums of parts, has no more dispatches", async () => {
  const model = new Sequential(new Linear(256, 128, { seed: 1 }), new Linear(128, 10, { seed: 2 }));
  const batch = { x: f32(8192, 256), y: zeros([8192], { dtype: "i32" }) };
  const loss = ({ x, y }: Readonly<Record<string, Tensor>>) => crossEntropy(model.call(x), y);
  const program = await stepProgram(device, { model, batch, loss });
  const batches = lower(program, TRAITS.workgroup).steps.flatMap(({ op, shape }) =>
    op?.name === "matmul" && shape.length === 3 ? shape[0] : [],
  );
  expect(batches).toEqual([8, 32]);
  const [before, after] = dispatches(program);
  expect(after).toBe(before);
});

test("parts are added in the order of reduce-direct.wgsl, from 0", () => {
  const all = [1, 2 ** -54, -1, 3e-17, 1e16, 0.1, -1e16, 5];
  for (let count = 2; count <= 8; count++) {
    for (const values of [all.slice(0, count), all.slice(-count), all.slice(-count).reverse()]) {
      expect(sumOfParts(values)).toBe(inChains(values));
      expect(sumOfParts([...values.slice(1), Number.POSITIVE_INFINITY])).toBe(
        Number.POSITIVE_INFINITY,
      );
      expect(sumOfParts([...values.slice(1), Number.NaN])).toBeNaN();
    }
    expect(sumOfParts(new Array(count).fill(-0))).toBe(0);
  }
});

/** What the parts of a product are added to, by the specification. */
function sumOfParts(values: readonly number[]): number {
  let total = Number.NaN;
  const x: TensorType = { shape: [1, values.length, 64], dtype: "f32" };
  tiles.sumParts(x, TRAITS.workgroup, (op) => {
    if ("scalar" in op) total = op.scalar()(...values);
    return x;
  });
  return total;
}

/** s₀ = 0 + x₀ + x₄, …, and what is left of fours; y = (s₀ + s₁) + (s₂ + s₃). */
function inChains(x: readonly number[]): number {
  const chains = [0, 0, 0, 0];
  const quads = Math.floor(x.length / 4);
  for (let q = 0; q < quads; q++) for (let c = 0; c < 4; c++) chains[c] += x[4 * q + c];
  for (let i = 4 * quads; i < x.length; i++) chains[0] += x[i];
  return chains[0] + chains[1] + (chains[2] + chains[3]);
}

/** Cycles that a dispatch more takes, roughly: 6 µs of a fast GPU, 15 µs of a slow one. */
const DISPATCH = 10_000;

test("short sums of few tiles are cut where the model says that this saves more than a dispatch takes", () => {
  const names = ["nvidia ampere", "amd rdna", "apple m1", "intel", "qualcomm", ""];
  const sizes = [
    [1, 1],
    [1, 256],
    [64, 10],
    [32, 256],
    [64, 128],
    [128, 64],
  ];
  for (const [M, N] of sizes) {
    for (const K of [1024, 1536, 2048, 3000, 4092]) {
      const parts = productParts({ BATCH: 1, M, N, K }, TRAITS.workgroup);
      expect(parts).toBeGreaterThan(3);
      for (const name of names) {
        const whole = costOf({ dtype: "f32", BATCH: 1, M, N, K }, name);
        const cut = costOf({ dtype: "f32", BATCH: parts, M, N, K: K / parts }, name);
        expect(cut + DISPATCH).toBeLessThan(whole);
      }
    }
    expect(productParts({ BATCH: 1, M, N, K: 1023 }, TRAITS.workgroup)).toBe(1);
    expect(productParts({ BATCH: 1, M, N, K: 4092 }, TRAITS.mobile)).toBe(1);
  }
  expect(productParts({ BATCH: 1, M: 32, N: 288, K: 4092 }, TRAITS.workgroup)).toBe(1);
});

/** What the tile that the rule takes should cost. */
function costOf(problem: ProductProblem, name: string): number {
  const traits = { ...TRAITS.workgroup, name };
  const [wish] = tiles.rule(problem, traits);
  return tiles.cost(problem, { WORKGROUP: 64, ...wish?.[1] }, traits);
}
