import { beforeAll, describe, expect, test } from "vitest";
import type { NumericArray } from "../../src/core/dtype.ts";
import { jobsOf } from "../../src/devices/webgpu/jobs.ts";
import { lower } from "../../src/engine/lower.ts";
import { type Program, trace } from "../../src/engine/program.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import type { Traits } from "../../src/forms/traits.ts";
import {
  add,
  argsort,
  cumLogSumExp,
  cumMax,
  cumProd,
  cumSum,
  gather,
  grad,
  matmul,
  max,
  min,
  moments,
  mul,
  randomNormal,
  slice,
  sort,
  sum,
  type Tensor,
  tensor,
  topK,
  transpose,
  variance,
} from "../../src/index.ts";
import { byRule } from "../../src/kernels/choose.ts";
import { testDevice } from "../support/device.ts";
import { opByOp } from "../support/op-by-op.ts";

beforeAll(() => testDevice());

const kinds: Record<string, Traits> = {
  workgroup: { workgroupMemory: true, threads: 64, quads: false },
  direct: { workgroupMemory: false, threads: 16, quads: false },
};

/** A graph as a program, and the values of its sources. */
function traced(outputs: readonly Tensor[]): { program: Program; sources: NumericArray[] } {
  const nodes = outputs.map(({ node }) => node);
  const { program, sources } = trace(nodes, "test");
  return { program: simplify(program), sources: sources.map(({ host }) => host as NumericArray) };
}

/** The values of a program's outputs, each op computed by its specification. */
function valuesOf(program: Program, sources: readonly NumericArray[]): NumericArray[] {
  const values = opByOp(program, sources);
  return program.outputs.map((output) => values[output]);
}

/** The workgroups of each kernel. */
function gridOf(program: Program, traits: Traits): number[] {
  const schedule = scheduleOf(lower(program, traits), 8);
  return jobsOf(schedule, byRule(traits)).map(({ stage }) => stage.workgroups);
}

const random = (shape: readonly number[], seed = 1) =>
  tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => {
      return Math.round(1000 * Math.sin(seed * (i + 1) * (i + 7))) / 8; // with equal ones among them
    }),
    { shape },
  );

/** Values that are sorted and their slopes, whose weights tell the places apart. */
function sorting(x: Tensor, pick: (x: Tensor) => { values: Tensor; indices: Tensor }): Tensor[] {
  const { values, indices } = pick(x);
  const weights = random(values.shape, 3);
  return [values, indices, ...grad(sum(mul(values, weights)), [x])];
}

/** The gradients of gathered rows, of which many are the same and some are none of x's. */
function addedRows(rows: number, columns: number, count: number): Tensor[] {
  const indices = Int32Array.from({ length: count }, (_, j) => {
    return Math.floor((rows + 5) * Math.sin(j * j) ** 2) - 2;
  });
  const x = random([rows, columns]);
  const y = gather(x, tensor(indices));
  return grad(sum(mul(y, random(y.shape, 3))), [x]);
}

const programs: Record<string, () => Tensor[]> = {
  "short rows are sorted": () => sorting(random([3, 40]), (x) => sort(x)),
  "long rows are sorted": () => sorting(random([3, 700]), (x) => sort(x)),
  "long rows are sorted downwards": () =>
    sorting(random([2, 515]), (x) => sort(x, { descending: true })),
  "a few are found": () => sorting(random([3, 3000]), (x) => topK(x, 5)),
  "the smallest are found": () => sorting(random([3, 700]), (x) => topK(x, 64, { largest: false })),
  "many are found": () => sorting(random([2, 700]), (x) => topK(x, 300)),
  "mean and variance of long rows": () => Object.values(moments(random([3, 9000]), { axis: 1 })),
  "sums, largest and smallest of very long rows": () => {
    const x = random([3, 9001]);
    const cut = slice(x, [{ start: 1 }, { start: 5, end: 9000 }]);
    return [sum, max, min].flatMap((op) => [
      op(x),
      op(cut, { axis: 1 }),
      op(transpose(x), { axis: 0 }),
    ]);
  },
  "the variance of all": () => [variance(random([24, 700]))],
  "rows are added by sorted indices": () => addedRows(700, 9, 3000),
  "running sums": () => {
    const x = random([2, 2100]);
    return [cumSum(x), cumSum(x, { axis: 0 }), cumSum(x, { reverse: true, exclusive: true })];
  },
  "running extremes, and where they were found": () => {
    const x = random([2, 2100]);
    const y = cumMax(x);
    return [y, ...grad(sum(mul(y, random(y.shape, 3))), [x])];
  },
  "running products and their slopes, of the second order too": () => {
    const x = add(mul(random([2, 2100]), 1e-6), 1);
    const y = cumProd(x);
    const [first] = grad(sum(mul(y, random(y.shape, 3))), [x]);
    return [y, first, ...grad(sum(mul(first, random(y.shape, 5))), [x])];
  },
  "running sums of exponentials": () => {
    const x = random([2, 2100]);
    const y = cumLogSumExp(x);
    return [y, ...grad(sum(mul(y, random(y.shape, 3))), [x])];
  },
  "an order is found": () => [argsort(random([2, 300]))],
  "a long sum is cut": () => {
    const [x, w] = [random([6144, 5]), random([6144, 7], 2)];
    return [add(matmul(transpose(x), w), 1)];
  },
  "a long sum of a batch is cut": () => [matmul(random([2, 3, 5120]), random([2, 5120, 4], 2))],
};

describe("a lowered program gives what the ops' specification gives", () => {
  for (const [kind, traits] of Object.entries(kinds)) {
    for (const [what, graph] of Object.entries(programs)) {
      test(`${kind}: ${what}`, () => {
        const { program, sources } = traced(graph());
        const lowered = lower(program, traits);
        expect(lowered.steps.some(({ op }) => op?.name === "sort")).toBe(false);
        const expected = valuesOf(program, sources);
        for (const [i, values] of valuesOf(lowered, sources).entries()) {
          for (const [j, value] of values.entries()) {
            const error = Math.abs(value - expected[i][j]);
            expect(error).toBeLessThanOrEqual(1e-9 * Math.abs(expected[i][j]) + 1e-6);
          }
        }
      });
    }
  }
});

describe("how many kernels and workgroups a program has", () => {
  const grids = (graph: () => Tensor[]) => {
    const { program } = traced(graph());
    return Object.fromEntries(
      Object.entries(kinds).map(([kind, traits]) => [kind, gridOf(program, traits)]),
    );
  };
  const f32 = (...shape: number[]) => randomNormal(shape, { seed: 1 });

  test("a convolution's dW is cut where a GPU would be idle, or invocations too few", () => {
    const product = () => [matmul(transpose(f32(36864, 50)), f32(36864, 64))];
    const found = grids(product);
    expect(found.workgroup).toEqual([256, 50]);
    expect(found.direct).toEqual([36, 200]);
  });

  test("products of today's nets are not", () => {
    for (const [m, k, n] of [
      [100, 784, 50],
      [784, 100, 50],
      [64, 1023, 10],
      [96, 1024, 96],
      [512, 4096, 512],
    ]) {
      expect(grids(() => [matmul(f32(m, k), f32(k, n))]).workgroup).toHaveLength(1);
    }
    expect(grids(() => [matmul(f32(3, 4099), f32(4099, 3))]).workgroup).toEqual([1]);
  });

  test("mean and variance of few long rows are those of their parts", () => {
    const all = (...shape: number[]) =>
      grids(() => Object.values(moments(f32(...shape), { axis: 1 })));
    expect(all(64, 10000)).toEqual({ workgroup: [64], direct: [4] });
    expect(all(16, 78400)).toEqual({ workgroup: [256, 1, 16], direct: [16, 1, 1] });
    expect(all(16, 100)).toEqual({ workgroup: [16], direct: [1] });
    const one = grids(() => [variance(f32(16, 78400), { axis: 1 })]);
    expect(one.workgroup).toEqual([256, 1, 16]);
  });

  test("rows are added by sorted indices where looking for them would take longer", () => {
    const all = (...sizes: [number, number, number]) => grids(() => addedRows(...sizes));
    expect(all(100, 16, 256)).toEqual({ workgroup: [25], direct: [100] });
    // Runs and merges of the indices, where each row's begin, and the sums.
    expect(all(1000, 16, 500)).toEqual({ workgroup: [250], direct: [32, 32, 32, 32, 63, 1000] });
    const large = { workgroup: [16, 64, 64, 64, 64, 157, 10_000], direct: new Array(9) };
    const found = all(10_000, 64, 4096);
    expect(found.workgroup).toEqual(large.workgroup);
    expect(found.direct).toHaveLength(large.direct.length);
  });

  test("running totals take one kernel for short rows, for each level of runs, and one", () => {
    const count = (n: number, call: (x: Tensor) => Tensor[]) => {
      const { workgroup, direct } = grids(() => call(f32(2, n)));
      return [workgroup.length, direct.length];
    };
    const values = (x: Tensor) => [cumSum(x)];
    expect(count(128, values)).toEqual([1, 1]);
    expect(count(2048, values)).toEqual([1, 3]);
    expect(count(2049, values)).toEqual([3, 3]);
    expect(count(2 ** 20, values)).toEqual([3, 4]);
    const slopes = (x: Tensor) => grad(sum(cumProd(x)), [x]);
    expect(count(128, slopes)).toEqual([3, 3]);
    expect(count(2 ** 20, slopes)).toEqual([5, 8]);
  });

  test("sorting takes one kernel for short rows, and a merge for each doubling beyond", () => {
    const count = (n: number, pick: (x: Tensor) => Tensor[]) => {
      const { workgroup, direct } = grids(() => pick(f32(2, n)));
      return [workgroup.length, direct.length];
    };
    const all = (x: Tensor) => Object.values(sort(x));
    expect(count(256, all)).toEqual([1, 1]);
    expect(count(257, all)).toEqual([2, 4]);
    expect(count(2 ** 20, all)).toEqual([13, 15]);
    expect(count(2 ** 20, (x) => [argsort(x)])).toEqual([13, 15]);
    const few = (x: Tensor) => Object.values(topK(x, 10));
    expect(count(256, few)).toEqual([1, 1]);
    expect(count(2 ** 20, few)).toEqual([4, 7]);
  });
});
