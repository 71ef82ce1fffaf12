import { beforeAll, describe, expect, test } from "vitest";
import { keyFromSeed } from "../../src/core/random.ts";
import { type Device, full, type Tensor, tensor, zeros } from "../../src/index.ts";
import {
  type Crossover,
  crossed,
  mutated,
  ranking,
  roulette,
  tournament,
} from "../../src/search/genetic-operators.ts";
import { testDevice } from "../support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

/** What the draws of a generation take. */
const random = (generation: number, seed = 1) => ({
  generation: full([], generation, { dtype: "u32", device }),
  key: keyFromSeed(seed),
});

/** How often each of n numbers was drawn. */
async function counts(drawn: Tensor, n: number): Promise<number[]> {
  expect(drawn.dtype).toBe("u32");
  const found = new Array<number>(n).fill(0);
  for (const i of await drawn.data()) found[i]++;
  return found;
}

/** Expects counts within five standard deviations of their means. */
function expectShares(found: readonly number[], shares: readonly number[]): void {
  const n = found.reduce((a, b) => a + b, 0);
  for (const [i, share] of shares.entries()) {
    const spread = Math.sqrt(n * share * (1 - share));
    expect(Math.abs(found[i] - n * share)).toBeLessThanOrEqual(5 * spread);
  }
}

describe("ranking", () => {
  test.each<[string, number[], number[]]>([
    ["the smallest loss first", [3, 1, 2, 0.5], [3, 1, 2, 0]],
    ["equal losses in their order", [1, 0, 1, 0, 1], [1, 3, 0, 2, 4]],
    ["NaN last", [Number.NaN, 2, Number.NaN, -1], [3, 1, 0, 2]],
    [
      "infinite ones",
      [Number.POSITIVE_INFINITY, 7, Number.NEGATIVE_INFINITY, Number.NaN],
      [2, 1, 0, 3],
    ],
    ["nothing but NaN", [Number.NaN, Number.NaN], [0, 1]],
  ])("has %s", async (_, losses, order) => {
    expect([...(await ranking(tensor(losses)).data())]).toEqual(order);
  });

  test("sorts as many as there are", async () => {
    const losses = Float32Array.from({ length: 130 }, (_, i) => Math.sin(i * i) * 8).map(
      Math.round,
    );
    const order = Array.from(losses.keys()).sort((a, b) => losses[a] - losses[b] || a - b);
    expect([...(await ranking(tensor(losses)).data())]).toEqual(order);
  });
});

describe("tournament", () => {
  const order = [4, 2, 0, 1, 3];

  test.each([1, 2, 5])("of %i chooses the best of those drawn", async (size) => {
    const drawn = tournament(tensor(Uint32Array.from(order)), 8000, size, random(0));
    // P(rank r wins) = P(all ranks ≥ r) − P(all ranks > r)
    const found = await counts(drawn, 5);
    const share = (r: number) => ((5 - r) / 5) ** size - ((4 - r) / 5) ** size;
    const byRank = order.map((i) => found[i]);
    expectShares(byRank, [0, 1, 2, 3, 4].map(share));
  });

  test("draws anew in each generation", async () => {
    const all = tensor(Uint32Array.from({ length: 100 }, (_, i) => i));
    const [a, b, again] = [0, 1, 0].map((g) => tournament(all, 50, 2, random(g)).data());
    expect(await a).not.toEqual(await b);
    expect(await a).toEqual(await again);
  });
});

describe("roulette", () => {
  test.each<[string, number[], number[]]>([
    ["in proportion to what each is better than the worst", [1, 3, 4, 2], [3 / 6, 1 / 6, 0, 2 / 6]],
    ["evenly where all are equal", [2, 2, 2, 2], [0.25, 0.25, 0.25, 0.25]],
    ["none that is not finite", [0, Number.NaN, 1, Number.POSITIVE_INFINITY], [1, 0, 0, 0]],
    ["evenly where none is finite", [Number.NaN, Number.POSITIVE_INFINITY], [0.5, 0.5]],
  ])("chooses %s", async (_, losses, shares) => {
    const found = await counts(roulette(tensor(losses), 6000, random(3)), losses.length);
    expectShares(found, shares);
  });
});

describe("crossover", () => {
  const [rows, genes] = [400, 6];
  const parents = () => [zeros([rows, genes], { device }), full([rows, genes], 1, { device })];
  const cross = async (crossover: Crossover, crossoverRate: number) => {
    const [a, b] = parents();
    const data = await crossed(a, b, { crossover, crossoverRate }, random(2)).data();
    const children = Array.from({ length: rows }, (_, i) => [
      ...data.slice(i * genes, (i + 1) * genes),
    ]);
    return { children, values: [...data] };
  };
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

  test("uniform takes each gene of either parent", async () => {
    const { children, values } = await cross("uniform", 1);
    expect(new Set(values)).toEqual(new Set([0, 1]));
    expect(mean(values)).toBeCloseTo(0.5, 1);
    expect(new Set(children.map(String)).size).toBeGreaterThan(50); // of 64
  });

  test("one-point takes the first genes of one parent, at least one, and the last of the other", async () => {
    const { children } = await cross("one-point", 1);
    const found = children.map((child) => {
      expect(child).toEqual([...child].sort());
      return child.indexOf(1);
    });
    expect([Math.min(...found), Math.max(...found)]).toEqual([1, 5]);
    const cuts = [1, 2, 3, 4, 5].map((cut) => found.filter((c) => c === cut).length);
    expectShares(cuts, new Array(5).fill(0.2));
  });

  test("one-point leaves a single gene as it is", async () => {
    const [a, b] = [zeros([9, 1], { device }), full([9, 1], 1, { device })];
    const settings = { crossover: "one-point", crossoverRate: 1 } as const;
    expect(await crossed(a, b, settings, random(2)).data()).toEqual(new Float32Array(9));
  });

  test("blend draws from the parents' interval and half of it on both sides", async () => {
    const { values } = await cross("blend", 1);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-0.5);
    expect(Math.max(...values)).toBeLessThan(1.5);
    expect(mean(values)).toBeCloseTo(0.5, 1);
    const outside = values.filter((v) => v < 0 || v > 1).length;
    expectShares([outside, values.length - outside], [0.5, 0.5]);
  });

  test("leaves copies of the first parent where none is drawn", async () => {
    expect(new Set((await cross("blend", 0)).values)).toEqual(new Set([0]));
    const { children } = await cross("blend", 0.25);
    const copies = children.filter((child) => child.every((gene) => gene === 0)).length;
    expectShares([copies, rows - copies], [0.75, 0.25]);
  });
});

describe("mutation", () => {
  const noise = async (rate: number, scale: Tensor | number) => {
    return [...(await mutated(zeros([200, 50], { device }), rate, scale, random(4)).data())];
  };

  test("changes a share of the genes by normal numbers", async () => {
    const values = await noise(0.2, 3);
    const changed = values.filter((v) => v !== 0);
    expectShares([changed.length, values.length - changed.length], [0.2, 0.8]);
    const variance = changed.reduce((a, v) => a + v * v, 0) / changed.length;
    expect(variance / 9).toBeGreaterThan(0.85);
    expect(variance / 9).toBeLessThan(1.15);
    const scaled = await noise(0.2, tensor(6));
    expect(scaled.every((v, i) => Math.abs(v - 2 * values[i]) < 1e-5)).toBe(true);
  });

  test("changes nothing at rate 0 and all at rate 1", async () => {
    expect((await noise(0, 1)).every((v) => v === 0)).toBe(true);
    expect((await noise(1, 1)).every((v) => v !== 0)).toBe(true);
  });
});
