import { beforeAll, describe, expect, test } from "vitest";
import type { Candidate, Choose, Family, Kernel, Problem } from "../../src/forms/kernel.ts";
import type { Traits } from "../../src/forms/traits.ts";
import { argReduce } from "../../src/kernels/arg-reduce.ts";
import { attentionRows } from "../../src/kernels/attention.ts";
import {
  choiceName,
  choiceNamed,
  choicesFor,
  choicesOf,
  orderOf,
  problemName,
  sharesAs,
} from "../../src/kernels/candidates.ts";
import { byRule } from "../../src/kernels/choose.ts";
import { plainly } from "../../src/kernels/choose-plain.ts";
import { directProducts, moreTiles, products } from "../../src/kernels/matmul.ts";
import type { ProductProblem, SoftmaxProblem } from "../../src/kernels/problems.ts";
import { reduce } from "../../src/kernels/reduce.ts";
import { softmaxRows } from "../../src/kernels/softmax.ts";
import { standardRows } from "../../src/kernels/standardize.ts";
import type { SubgroupSizes } from "../../src/kernels/subgroup-products.ts";
import { laneKernels } from "../../src/kernels/subgroup-rows.ts";
import { families, type Tried } from "../support/kernel-families.ts";

beforeAll(async () => {
  await Promise.all([directProducts.get(), moreTiles.get()]);
});

const gpu: Traits = {
  ...{ workgroupMemory: true, threads: 64, quads: false },
  ...{ invocations: 256, name: "nvidia" },
};
/** What the compatibility mode has at the least. */
const small: Traits = { ...gpu, invocations: 128 };
const mobile: Traits = { ...gpu, workgroupMemory: false, name: "qualcomm" };
const emulated: Traits = { ...mobile, threads: 16, quads: true };

const ATTENTION = {
  ...{ BATCH: 8, KEYS: 512, DEPTH: 16, WIDTH: 16 },
  ...{ CAUSAL: 0, MASKED: 0, DROPS: 0 },
};

/** All families but those of plain kernels and by subgroups, of which no rule chooses. */
const all = Object.entries<Tried>(families).filter(([name]) => !/^(plain|subgroup)/.test(name));

describe.each(Object.entries({ gpu, small, mobile, emulated }))("candidates on %s", (_, traits) => {
  test.each(all)("of %s: first what the rules take, none that cannot run", (_, tried) => {
    const { family, problems } = tried;
    for (const problem of problems) {
      const given = choicesFor(family, problem, traits, {
        choose: byRule(traits),
        reproducible: false,
      });
      expect(given[0]).toEqual(byRule(traits)(family, problem));
      expect(new Set(given.map(choiceName)).size).toBe(given.length);
      for (const { kernel, candidate } of given) {
        expect(candidate.WORKGROUP).toBeLessThanOrEqual(traits.invocations as number);
        const { memory = 0 } = kernel.layout(problem, candidate);
        expect(memory).toBeLessThanOrEqual(16384);
        expect(kernel.subgroups && !traits.quads).toBeFalsy();
        expect(kernel.fits?.(problem)).not.toBe(false);
      }
    }
  });

  test.each(all)(
    "of %s that are reproducible: those that add in the order of the first",
    (_, tried) => {
      const { family, problems } = tried;
      for (const problem of problems) {
        const every = choicesFor(family, problem, traits, {
          choose: byRule(traits),
          reproducible: false,
        });
        const same = choicesFor(family, problem, traits, {
          choose: byRule(traits),
          reproducible: true,
        });
        expect(new Set(same.map(orderOf)).size).toBe(1);
        const kept = every.filter((choice) => orderOf(choice) === orderOf(every[0]));
        expect(same.map(choiceName)).toEqual(kept.map(choiceName));
      }
    },
  );
});

describe("where nothing is known of costs, each kernel has its turn", () => {
  const rivals = <P extends Problem>(family: Family<P>, problem: P) => {
    const options = { choose: byRule(gpu), reproducible: true };
    const [first, ...others] = choicesFor(family, problem, gpu, options);
    return others.map(({ kernel: { kind }, candidate }) => {
      const numbers = Object.values(candidate).join(" ");
      return kind === first.kernel.kind ? numbers : `${kind} ${numbers}`;
    });
  };

  test("first with what is most like the first choice", () => {
    const sizes = { ROWS: 512, LENGTH: 512, KEYS: 512, DEPTH: 16, WIDTH: 16 };
    const flags = { CAUSAL: 0, MASKED: 0, DROPS: 0 };
    const found = rivals(attentionRows, { dtype: "f32", BATCH: 8, ...sizes, ...flags });
    expect(found.slice(0, 6)).toEqual([
      "direct 64",
      "32 32",
      "64 16",
      "direct 16",
      "64 8",
      "direct 32",
    ]);
  });

  test("and searches, which give the same in any order, have all", () => {
    const found = rivals(argReduce, { dtype: "f32", ROWS: 100, LENGTH: 500 });
    expect(found.sort()).toEqual(["128", "256", "direct 16", "direct 32", "direct 64"]);
    expect(rivals(reduce, { dtype: "f32", ROWS: 100, LENGTH: 500 })).toEqual([]);
  });
});

describe("rows that lanes of a subgroup own", () => {
  const offered = <P extends Problem>(
    family: Family<P>,
    problem: P,
    traits: Traits,
    least = 32,
  ) => {
    const lanes = { least, most: least };
    const options = { choose: byRule(traits), reproducible: true, lanes };
    const found = choicesFor(family, problem, traits, options);
    expect(new Set(found.map(orderOf)).size).toBe(1);
    expect(new Set(found.map(choiceName)).size).toBe(found.length);
    return found.slice(1).flatMap(({ kernel, candidate: { LANES, TREE = 0, WORKGROUP } }) => {
      const isLanes = kernel.files.some(({ name }) => name === "shaders/lib/lanes.wgsl");
      return isLanes ? [[LANES, TREE, WORKGROUP]] : [];
    });
  };
  const softmax = (LENGTH: number, ROWS = 512) => ({ dtype: "f32", ROWS, LENGTH }) as const;

  test("are offered by the first choice's order, and as many lanes as a row has work for", () => {
    expect(offered(softmaxRows, softmax(128), gpu).slice(0, 4)).toEqual([
      [32, 64, 64],
      [16, 64, 64],
      [32, 64, 128],
      [16, 64, 128],
    ]);
    expect(new Set(offered(softmaxRows, softmax(64), gpu).map(([lanes]) => lanes))).toEqual(
      new Set([32, 16, 8]),
    );
    expect(new Set(offered(standardRows, softmax(512), gpu, 64).map(([lanes]) => lanes))).toEqual(
      new Set([64]),
    );
    // Short rows are one invocation's, and long ones those of a tree of 256.
    expect(offered(softmaxRows, softmax(10), gpu).sort()).toEqual([
      [4, 0, 16],
      [4, 0, 32],
      [4, 0, 64],
    ]);
    expect(offered(reduce, softmax(2000), gpu)).toEqual([]);
  });

  test("of places of the best are any, for all find the same", () => {
    const lanes = offered(argReduce, softmax(10), gpu).map(([lanes]) => lanes);
    expect(new Set(lanes)).toEqual(new Set([16, 8, 4]));
  });

  test("are there only where subgroups are, and no CPU emulates them", () => {
    for (const traits of [emulated, { ...gpu, quads: true }]) {
      for (const length of [10, 128]) {
        expect(offered(softmaxRows, softmax(length), traits, 4)).toEqual([]);
        expect(offered(argReduce, softmax(length), traits, 4)).toEqual([]);
      }
    }
    for (const lanes of [0, 2, 3]) {
      expect(offered(softmaxRows, softmax(128), gpu, lanes)).toEqual([]);
    }
    expect(offered(attentionRows, { ...softmax(64), ...ATTENTION }, gpu)).toEqual([]);
  });

  test("share dispatches as the kernels in whose place they stand, for all that their places take", () => {
    const problem = softmax(128);
    const [tree, direct] = softmaxRows.kernels;
    const of = (kernel: Kernel<SoftmaxProblem>, WORKGROUP: number) => ({
      kernel,
      candidate: kernel.candidates.find((own) => own.WORKGROUP === WORKGROUP) as Candidate,
    });
    const lanes = laneKernels(softmaxRows, 4, 1);
    for (const kernel of lanes) {
      const { WORKGROUP } = kernel.candidates[0];
      const first = of(kernel.order ? tree : direct, WORKGROUP);
      expect(sharesAs(first, of(kernel, WORKGROUP), problem)).toBe(true);
      const other = kernel.candidates[1].WORKGROUP;
      expect(sharesAs(first, of(kernel, other), problem)).toBe(false);
    }
    expect(lanes).toHaveLength(2);
    expect(sharesAs(of(direct, 64), of(tree, 64), problem)).toBe(false);
    expect(sharesAs(of(tree, 64), of(direct, 64), problem)).toBe(true);
  });

  test("have no plain ones in their place, whose grid is another", () => {
    const [kernel] = laneKernels(reduce, 4, 1).slice(-1);
    const choice = { kernel, candidate: kernel.candidates[0] };
    const choose = plainly((() => choice) as unknown as Choose, () => expect.unreachable());
    expect(choose(reduce, softmax(10))).toBe(choice);
  });
});

test("names of choices and problems say all that there is of them", () => {
  const seen = new Set<string>();
  for (const { family, problems } of Object.values<Tried>(families)) {
    for (const problem of problems) seen.add(problemName(family, problem));
    for (const choice of choicesOf(family)) {
      expect(choiceNamed(family, choiceName(choice))).toEqual(choice);
    }
  }
  expect(seen).toContain("matmul f32 BATCH=2 K=50 M=33 N=7");
  expect(choiceNamed(products, "matmul WORKGROUP=63")).toBeUndefined();
});

describe("tiles of products", () => {
  const square = (n: number): ProductProblem => ({ dtype: "f32", BATCH: 1, M: n, N: n, K: n });
  const taken = (problem: ProductProblem, traits: Traits) =>
    byRule(traits)(products, problem).candidate;

  test("are large where there are enough of them to fill a GPU", () => {
    const { TILE_M, TILE_N } = taken(square(4096), gpu);
    expect(TILE_M * TILE_N).toBeGreaterThanOrEqual(128 * 64);
    expect(taken(square(128), gpu)).toEqual({ WORKGROUP: 64 });
    const smaller = taken(square(512), gpu);
    expect((smaller.TILE_M ?? 32) * (smaller.TILE_N ?? 32)).toBeLessThan(TILE_M * TILE_N);
  });

  test("are the largest where GPUs have the registers, and fewer sums an invocation elsewhere", () => {
    const largest = { TILE_M: 128, TILE_N: 128 };
    const sums = (candidate: Candidate) =>
      (candidate.TILE_M * candidate.TILE_N) / candidate.WORKGROUP;
    for (const n of [4096, 8192, 16384]) {
      for (const name of ["nvidia", "amd"]) {
        const own = taken(square(n), { ...gpu, name });
        expect(own).toMatchObject(largest);
        expect(sums(own)).toBe(16 * 8);
      }
      for (const name of ["apple", "intel", "acme"]) {
        const own = taken(square(n), { ...gpu, name });
        expect(own).toMatchObject(largest);
        expect(sums(own)).toBe(8 * 8); // 16 × 8 want more than 128 registers
      }
      // A workgroup of the compatibility mode has half as many invocations.
      const own = taken(square(n), { ...small, name: "intel" });
      expect(own.TILE_M * own.TILE_N).toBe(128 * 64);
    }
    const own = taken(square(1024), gpu); // 64 tiles are too few for GPUs of many cores
    expect(own.TILE_M * own.TILE_N).toBeLessThan(128 * 128);
  });

  test("are narrow where products are", () => {
    const apple = { ...gpu, name: "apple" };
    for (const [n, traits] of [
      [4096, apple],
      [8192, gpu],
    ] as const) {
      expect(taken({ ...square(n), M: 16 }, traits)).toMatchObject({ TILE_M: 16 });
      expect(taken({ ...square(n), N: 10 }, traits)).toMatchObject({ TILE_N: 16 });
    }
    // More and smaller ones are worth more where cores are left idle.
    expect(taken({ ...square(4096), N: 10 }, gpu)).toEqual({ WORKGROUP: 64 });
  });

  test("of small products have workgroups that may share a dispatch with others", () => {
    for (const n of [1, 16, 50, 100, 256, 400]) {
      expect(taken({ ...square(n), K: 256 }, gpu).WORKGROUP).toBe(64);
    }
  });

  test("that share loads by subgroups are among those that are measured, where there are subgroups", () => {
    const places = (name: string, n: number, lanes?: SubgroupSizes) => {
      const traits = { ...gpu, name };
      const options = { choose: byRule(traits), reproducible: true, lanes };
      const given = choicesFor(products, square(n), traits, options);
      return given.flatMap(({ candidate }, i) => (candidate.LANES ? [i] : []));
    };
    for (const name of ["nvidia", "amd", "apple", "intel", "acme"]) {
      for (const n of [64, 512, 1024, 4096]) {
        const found = places(name, n, { least: 32, most: 32 });
        expect(found).toHaveLength(5);
        expect(found[0]).toBeLessThanOrEqual(3);
        expect(found[0]).toBeGreaterThan(0);
        expect(places(name, n)).toEqual([]);
      }
    }
    // Workgroups have several bands of the largest subgroups, and 256 invocations at the most.
    expect(places("amd", 512, { least: 32, most: 64 })).toHaveLength(4);
    expect(places("qualcomm", 512, { least: 64, most: 128 })).toHaveLength(2);
    for (const lanes of [
      { least: 2, most: 2 },
      { least: 4, most: 24 },
      { least: 0, most: 0 },
    ]) {
      expect(places("acme", 512, lanes)).toEqual([]);
    }
  });

  test("by matrices of subgroups are measured first, where a device has them", () => {
    const given = (matrices: number, options: { reproducible: boolean; traits?: Traits }) => {
      const { traits = gpu, reproducible } = options;
      const lanes = { least: 32, most: 32, matrices };
      const choose = byRule(traits);
      const found = choicesFor(products, square(1024), traits, { choose, reproducible, lanes });
      return found.map(({ candidate }) => candidate.MATRICES ?? 0);
    };
    expect(given(32, { reproducible: true }).slice(0, 3)).toEqual([0, 8, 0]);
    expect(given(0, { reproducible: true })).not.toContain(8);
    // Direct loads add in another order.
    expect(given(32, { reproducible: true, traits: mobile })).not.toContain(8);
    expect(given(32, { reproducible: false, traits: mobile })).toContain(8);
  });

  test("should cost the more the less of them is used", () => {
    for (const { candidate } of choicesOf(products).filter(
      ({ kernel }) => kernel.kind === "workgroup",
    )) {
      const costs = [512, 1024, 2048].map((n) => moreTiles.loaded?.cost(square(n), candidate, gpu));
      expect(costs).toEqual([...costs].sort((a, b) => (a as number) - (b as number)));
      expect(costs[0]).toBeGreaterThan(0);
    }
  });
});
