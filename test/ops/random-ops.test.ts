import { beforeAll, expect, test } from "vitest";
import {
  type Device,
  foldIn,
  init,
  keyFromSeed,
  randomNormal,
  randomPermutation,
  randomUniform,
  setSeed,
} from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

let cpu: Device;
beforeAll(async () => {
  cpu = (await init({ device: "cpu", isolated: true })).device;
  await testDevice();
});

test("a seed gives the same bits on every device", async () => {
  for (const make of [
    (device?: Device) => randomUniform([1000], { seed: 5, low: -2, high: 3, device }),
    (device?: Device) => randomNormal([1000], { seed: 5, mean: 1, std: 0.01, device }),
    (device?: Device) => randomPermutation(1000, { seed: 5, device }),
  ]) {
    expect(await make().data()).toEqual(await make(cpu).data());
  }
});

test("seeds, keys and successive draws differ", async () => {
  const draws = [
    randomUniform([50], { seed: 1 }),
    randomUniform([50], { seed: 2 }),
    randomUniform([50], { key: foldIn(keyFromSeed(1), 0) }),
    randomUniform([50], { key: foldIn(keyFromSeed(1), 1) }),
    randomUniform([50]),
    randomUniform([50]),
  ];
  const texts = await Promise.all(draws.map(async (x) => String(await x.data())));
  expect(new Set(texts).size).toBe(draws.length);
});

test("setSeed restarts the default sequence", async () => {
  setSeed(8);
  const first = await randomNormal([20]).data();
  const second = await randomNormal([20]).data();
  setSeed(8);
  expect(await randomNormal([20]).data()).toEqual(first);
  expect(await randomNormal([20]).data()).toEqual(second);
});

test("uniform numbers stay in [low, high) and fill it evenly", async () => {
  const x = await randomUniform([40_000], { seed: 3, low: -1, high: 4 }).data();
  const counts = new Array<number>(10).fill(0);
  for (const v of x) {
    expect(v >= -1 && v < 4).toBe(true);
    counts[Math.floor((v + 1) * 2)]++;
  }
  const chi2 = counts.reduce((total, n) => total + (n - 4000) ** 2 / 4000, 0);
  expect(chi2).toBeLessThan(27.9); // 9 degrees of freedom, p = 0.001
});

test("a uniform number that rounding would bring to high is low", async () => {
  const values = await randomUniform([50], { low: 1, high: 1 + 2 ** -23, seed: 1 }).data();
  expect(new Set(values)).toEqual(new Set([1]));
});

test("normal numbers have their mean, spread and tails", async () => {
  const n = 40_000;
  const x = await randomNormal([n], { seed: 4, mean: 2, std: 3 }).data();
  const mean = Array.from(x).reduce((a, b) => a + b, 0) / n;
  const z = Array.from(x, (v) => (v - mean) / 3);
  const moment = (k: number) => z.reduce((a, v) => a + v ** k, 0) / n;
  expect(Math.abs(mean - 2)).toBeLessThan(0.06);
  expect(Math.abs(moment(2) - 1)).toBeLessThan(0.03);
  expect(Math.abs(moment(3))).toBeLessThan(0.06);
  expect(Math.abs(moment(4) - 3)).toBeLessThan(0.2);
});

test("a permutation holds each number once", async () => {
  const x = await randomPermutation(5000, { seed: 6 }).data();
  expect([...x].sort((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
});
