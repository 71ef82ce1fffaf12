import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { seedFile, seedOf } from "../../bench/kernels/seed.ts";
import type { SweepReport, Swept } from "../../bench/kernels/sweep.ts";
import type { Candidate } from "../../src/forms/kernel.ts";
import { choicesFor, choicesOf } from "../../src/kernels/candidates.ts";
import { byRule } from "../../src/kernels/choose.ts";
import { directProducts, moreTiles, products } from "../../src/kernels/matmul.ts";
import { measuredProducts } from "../../src/kernels/measured-products.ts";
import type { ProductProblem } from "../../src/kernels/problems.ts";
import { subgroupChoices } from "../../src/kernels/subgroup-trees.ts";

const traits = { workgroupMemory: true, threads: 64, quads: false, name: "Acme Rocket 9 (x)" };

const sizesOf = ([BATCH, M, N, K]: readonly number[]) => ({ BATCH, M, N, K });

beforeAll(() => Promise.all([directProducts.get(), moreTiles.get()]));
const committed = new Map(measuredProducts);
afterEach(() => {
  measuredProducts.clear();
  for (const [begin, found] of committed) measuredProducts.set(begin, found);
});

const tileName = (candidate: Candidate) => moreTiles.loaded?.tileName(candidate) as string;

/** A report in which tiles take what `of` says, and products by direct loads nothing. */
function reportOf(shapes: readonly number[][], of: (candidate: Candidate) => number): SweepReport {
  const swept: Swept[] = shapes.map((sizes) => ({
    family: "matmul",
    sizes: sizesOf(sizes),
    candidates: choicesOf(products).map(({ kernel: { kind }, candidate }) => ({
      ...{ file: "", kind, candidate, taken: false },
      milliseconds: kind === "direct" ? 1e-6 : of(candidate),
    })),
  }));
  const adapter = { name: traits.name, software: false };
  return { format: "gradus-candidates/1", date: "2026-11-29", adapter, swept };
}

const taken = (sizes: readonly number[], own = traits) =>
  tileName(byRule(own)(products, { dtype: "f32", ...sizesOf(sizes) } as ProductProblem).candidate);

/** A tile that the model takes for none of the sizes below. */
const ODD = "32 64 16 64 4 1";
const oddIsFast = (candidate: Candidate) => (tileName(candidate) === ODD ? 0.1 : 1);

describe("what was measured of products", () => {
  const shapes = [
    [1, 1024, 1024, 1024],
    [1, 8, 4096, 4096],
  ];

  test("decides which tile is taken first, for what is like it, on such adapters only", async () => {
    const before = [
      [1, 1024, 1024, 1024],
      [1, 1100, 900, 1024],
      [1, 4096, 16, 4096],
    ].map((sizes) => taken(sizes));
    expect(before).not.toContain(ODD);
    const [begin, found] = await seedOf(reportOf(shapes.slice(0, 1), oddIsFast));
    expect(begin).toBe("acme rocket");
    measuredProducts.set(begin, found);
    expect(taken([1, 1024, 1024, 1024])).toBe(ODD);
    expect(taken([1, 1100, 900, 1024])).toBe(ODD);
    expect(taken([1, 4096, 16, 4096])).toBe(before[2]); // too far from what was measured
    expect(taken([1, 1024, 1024, 1024], { ...traits, name: "acme rockets" })).toBe(before[0]);
    expect(taken([1, 1024, 1024, 1024], { ...traits, name: "acme" })).toBe(before[0]);
  });

  test("puts the runners-up in order too", async () => {
    const slow = (candidate: Candidate) =>
      candidate.WORKGROUP * (tileName(candidate) === ODD ? 0.01 : 1);
    measuredProducts.set(...(await seedOf(reportOf(shapes, slow))));
    const problem: ProductProblem = { dtype: "f32", ...sizesOf(shapes[0]) } as ProductProblem;
    const given = choicesFor(products, problem, traits, {
      choose: byRule(traits),
      reproducible: true,
    });
    const names = given.map(({ candidate }) => tileName(candidate));
    expect(names[0]).toBe(ODD);
    const threads = given.slice(1).map(({ candidate }) => candidate.WORKGROUP);
    expect(threads).toEqual([...threads].sort((a, b) => a - b));
  });

  test("is of products by subgroups too, where these were measured", async () => {
    const lanes = { least: 32, most: 32 };
    const fast = subgroupChoices(products, lanes)[2].candidate;
    const problem: ProductProblem = { dtype: "f32", ...sizesOf(shapes[0]) } as ProductProblem;
    const rivals = () => {
      const options = { choose: byRule(traits), reproducible: true, lanes };
      return choicesFor(products, problem, traits, options).map(({ candidate }) => candidate);
    };
    const report = reportOf(shapes.slice(0, 1), () => 1);
    const extra = [fast, { ...fast, TILE_N: 7 }].map((candidate, i) => ({
      ...{ file: "", kind: "workgroup", candidate, taken: false },
      milliseconds: 0.01 - i / 1000,
    }));
    const swept = report.swept.map((one) => ({
      ...one,
      candidates: [...one.candidates, ...extra],
    }));
    measuredProducts.set(...(await seedOf(report)));
    expect(rivals().indexOf(fast)).toBeGreaterThan(1);
    const [begin, found] = await seedOf({ ...report, swept });
    expect(Object.keys(found[0].times).filter((name) => name.includes("lanes"))).toEqual([
      tileName(fast),
    ]);
    measuredProducts.set(begin, found);
    expect(rivals().indexOf(fast)).toBe(1); // behind the rule's choice, which is none by subgroups
  });

  test("counts for nothing of tiles that are gone, or did not run", async () => {
    const report = reportOf(shapes, oddIsFast);
    const [begin, found] = await seedOf(report);
    const gone = { ...found[0], times: { ...found[0].times, "7 7 7 7 7 7": 1e-9 } };
    const lacking = {
      ...gone,
      times: Object.fromEntries(Object.entries(gone.times).filter(([name]) => name !== ODD)),
    };
    measuredProducts.set(begin, [lacking]);
    const { swept } = report;
    const failing = swept.map((one) => ({
      ...one,
      candidates: one.candidates.map((timed) => ({
        ...timed,
        milliseconds: undefined,
        failed: "as planned",
      })),
    }));
    expect(taken(shapes[0])).not.toBe(ODD);
    expect(taken(shapes[0])).toMatch(/^\d+ \d+ \d+ \d+ \d+ \d+$/);
    expect((await seedOf({ ...report, swept: failing }))[1]).toEqual([]);
    expect(Object.keys(found[0].times)).toHaveLength(
      choicesOf(products).filter(({ kernel }) => kernel.kind === "workgroup").length,
    );
  });

  test("is of a GPU, and of this format", async () => {
    const report = reportOf(shapes, oddIsFast);
    const software = { ...report, adapter: { name: "google swiftshader", software: true } };
    await expect(seedOf(software)).rejects.toThrow(
      "seed: google swiftshader is emulated by a CPU; expected a GPU, for tiles are its",
    );
    await expect(seedOf({ format: "gradus-bench/1" } as never)).rejects.toThrow(
      "seed: a file of format gradus-bench/1; expected what --candidates wrote",
    );
  });

  test("is written as a module, beside what is known of other adapters", async () => {
    const path = join(import.meta.dirname, "../../src/kernels/measured-products.ts");
    const text = readFileSync(path, "utf8");
    const old = [{ sizes: [1, 2, 3, 4], times: { [ODD]: 5 } }];
    const seed = await seedOf(reportOf(shapes, oddIsFast));
    const once = seedFile(text, new Map([["zeta two", old]]), seed);
    const data = (file: string) => JSON.parse(file.slice(file.indexOf("Object.entries(") + 15, -4));
    expect(data(once)).toEqual({ "acme rocket": seed[1], "zeta two": old });
    expect(once.startsWith(text.slice(0, text.indexOf("Object.entries(")))).toBe(true);
    const twice = seedFile(once, new Map([["acme rocket", old]]), seed);
    expect(data(twice)).toEqual({ "acme rocket": seed[1] });
  });
});
