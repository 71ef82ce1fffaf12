import { beforeAll, expect, test } from "vitest";
import { grad, Parameter, sum, type Tensor, tensor } from "../../src/index.ts";
import * as ops from "../../src/ops/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(async () => {
  await testDevice();
});

const COUNT = 20_000;
const steps = () => tensor(3, { dtype: "u32" });

/** Σ xᵏ/(α(α + 1) … (α + k)) · x^α e^(−x)/Γ(α): the share of Γ(α) below x. */
function gammaShare(alpha: number, x: number, gamma: number): number {
  let term = 1 / alpha;
  let total = term;
  for (let k = 1; k < 400; k++) {
    term *= x / (alpha + k);
    total += term;
  }
  return (total * x ** alpha * Math.exp(-x)) / gamma;
}

/** √n times how far the shares of draws below each are from what they should be: Kolmogorov and Smirnov. */
async function distance(draws: Tensor, share: (x: number) => number): Promise<number> {
  const values = (await draws.data()).toSorted((a, b) => a - b);
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const expected = share(values[i]);
    most = Math.max(most, (i + 1) / values.length - expected, expected - i / values.length);
  }
  return most * Math.sqrt(values.length);
}

/** Of right draws, one in a thousand is farther away. */
const FAR = 1.95;

test("exponential numbers have their distribution", async () => {
  const draws = ops.exponentialAt(steps(), [COUNT], { rate: 2.5, seed: 7 });
  expect(await distance(draws, (x) => -Math.expm1(-2.5 * x))).toBeLessThan(FAR);
  expect(await distance(draws, (x) => -Math.expm1(-2.3 * x))).toBeGreaterThan(2 * FAR);
});

test.each([
  [0.3, 2.99156898768759],
  [1, 1],
  [2.5, 1.32934038817914],
  [20, 121645100408832000],
])("gamma numbers of concentration %d have theirs", async (concentration, gamma) => {
  const options = { concentration, rate: 0.5, seed: 8 };
  const draws = ops.gammaAt(steps(), [COUNT], options);
  const share = (x: number) => gammaShare(concentration, x / 2, gamma);
  expect(await distance(draws, share)).toBeLessThan(FAR);
  expect(await distance(ops.randomGamma([COUNT], options), share)).toBeLessThan(FAR);
  expect(await distance(draws, (x) => share(1.3 * x))).toBeGreaterThan(2 * FAR);
});

test("a gamma number has a gradient with respect to the rate, none of the concentration", async () => {
  using rate = new Parameter(tensor([0.5, 2]));
  using concentration = new Parameter(tensor([0.5, 2]));
  const y = ops.gammaAt(steps(), [2], { concentration, rate, seed: 1 });
  const values = await y.data();
  const expected = [-values[0] / 0.5, -values[1] / 2]; // y = g/β
  const [byRate] = grad(sum(y), [rate]);
  (await byRate.data()).forEach((g, i) => void expect(g).toBeCloseTo(expected[i], 4));
  expect(() => grad(sum(y), [concentration])).toThrow("y does not depend on");
});

test("whole numbers and bools come as often as they should", async () => {
  const dice = await ops.integersAt(steps(), [COUNT], { low: 1, high: 7, seed: 9 }).data();
  const counts = new Array<number>(7).fill(0);
  for (const n of dice) counts[n]++;
  expect(counts[0]).toBe(0);
  const chi = counts.slice(1).reduce((sum, n) => sum + (n - COUNT / 6) ** 2 / (COUNT / 6), 0);
  expect(chi).toBeLessThan(20.5); // of five degrees of freedom, one in a thousand is larger
  const p = tensor([0.1, 0.5, 0.9]);
  const hits = ops.bernoulliAt(steps(), [COUNT, 3], { p, seed: 9 });
  const shares = await ops.mean(ops.cast(hits, "f32"), { axis: 0 }).data();
  for (const [i, share] of [0.1, 0.5, 0.9].entries()) {
    expect(Math.abs(shares[i] - share)).toBeLessThan(
      3.3 * Math.sqrt((share * (1 - share)) / COUNT),
    );
  }
});

test("classes come as often as their softmax says, and without replacement by what is left", async () => {
  const share = [0.5, 0.3, 0.2, 0];
  const logits = tensor(share.map(Math.log));
  const chosen = await ops.categoricalAt(steps(), logits, { samples: COUNT, seed: 5 }).data();
  const rows = ops.broadcastTo(logits, [COUNT, 4]);
  const options = { samples: 2, replacement: false, seed: 6 };
  const pairs = await ops.categoricalAt(steps(), rows, options).data();
  for (let i = 0; i < 4; i++) {
    const found = chosen.filter((n) => n === i).length / COUNT;
    const first = pairs.filter((n, at) => at % 2 === 0 && n === i).length / COUNT;
    const tolerance = 3.3 * Math.sqrt((share[i] * (1 - share[i])) / COUNT);
    expect(Math.abs(found - share[i])).toBeLessThanOrEqual(tolerance);
    expect(Math.abs(first - share[i])).toBeLessThanOrEqual(tolerance);
  }
  // P(1 behind 0) = 0.5 · 0.3/(1 − 0.5)
  const behind = pairs.filter((n, at) => at % 2 === 1 && n === 1 && pairs[at - 1] === 0).length;
  expect(Math.abs(behind / COUNT - 0.3)).toBeLessThan(3.3 * Math.sqrt(0.21 / COUNT));
});

test("another step, another seed, another key: other numbers", async () => {
  const seen = new Set<string>();
  for (const step of [0, 1]) {
    for (const seed of [0, 1]) {
      const at = tensor(step, { dtype: "u32" });
      for (const x of [
        ops.exponentialAt(at, [4], { seed }),
        ops.gammaAt(at, [4], { seed }),
        ops.integersAt(at, [4], { high: 1e9, seed }),
        ops.cast(ops.permutationAt(at, 50, { seed }), "f32"),
      ]) {
        seen.add((await x.data()).join());
      }
    }
  }
  expect(seen.size).toBe(16);
});
