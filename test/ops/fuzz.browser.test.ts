import { beforeAll, expect, test } from "vitest";
import {
  type Device,
  evaluate,
  init,
  matmul,
  reshape,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { isAcceptance } from "../support/acceptance.ts";
import { picker } from "../support/random-choice.ts";
import { randomFlagsAndBytes, randomGraph } from "../support/random-graph.ts";
import { randomMoves } from "../support/random-moves.ts";

let cpu: Device;
let gpu: Device;
beforeAll(async () => {
  cpu = (await init({ device: "cpu" })).device;
  gpu = (await init({ device: "webgpu", isolated: true })).device;
});

/** The last value of a random graph and two from its middle; from seed 1000 with several results. */
function build(seed: number, device: Device, dtype: "f32" | "f64"): Tensor[] {
  const values = randomGraph(seed, device, dtype, seed >= 1000);
  return [values[values.length - 1], values[12 + (seed % 6)], values[18 + (seed % 7)]];
}

const seedsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => first + i);

for (const seed of [
  ...seedsFrom(0, isAcceptance ? 200 : 25),
  ...seedsFrom(1000, isAcceptance ? 100 : 6),
]) {
  test(`random graph ${seed} gives the same on both devices`, async () => {
    const expected = build(seed, cpu, "f64");
    const actual = build(seed, gpu, "f32");
    evaluate(...expected);
    evaluate(...actual);
    for (const [k, x] of actual.entries()) {
      const got = await x.data();
      const want = await expected[k].data();
      for (let i = 0; i < want.length; i++) {
        expect(Math.abs(got[i] - want[i])).toBeLessThanOrEqual(
          2e-4 * Math.max(1, Math.abs(want[i])),
        );
      }
    }
  });
}

for (let seed = 0; seed < 10; seed++) {
  test(`random bools and bytes ${seed} are the same on both devices`, async () => {
    const [expected, actual] = await Promise.all(
      [cpu, gpu].map(async (device) => {
        const all = randomFlagsAndBytes(seed, device, device === cpu ? "f64" : "f32");
        evaluate(...all);
        return Promise.all(all.map(async (x) => [...(await x.data())]));
      }),
    );
    expect(actual).toEqual(expected);
  });
}

/** Elements that moved several times, of each dtype, and products that read such as they go. */
function moved(seed: number, device: Device): Tensor[] {
  const pick = picker(seed, 7);
  const [shape, dtype] = (
    [
      [[24], "f32"],
      [[5, 8], "i32"],
      [[2, 3, 4], "u8"],
      [[3, 4, 2, 4], "f32"],
      [[2, 2, 3, 2, 4], "bool"],
    ] as const
  )[seed % 5];
  const count = shape.reduce((size, n) => size * n, 1);
  const x = tensor(
    Array.from({ length: count }, (_, i) => (i % 7) % (dtype === "bool" ? 2 : 7)),
    { dtype, device },
  );
  const y = randomMoves(reshape(x, shape), pick);
  if (dtype !== "f32") return [y];
  // Whole numbers, whose sums are exact.
  const k = y.shape[y.rank - 1];
  const w = tensor(
    Float32Array.from({ length: k * 4 }, (_, i) => (i % 5) - 2),
    { shape: [k, 4], device },
  );
  return [y, matmul(y, w)];
}

test("elements that moved several times are where the CPU has them", async () => {
  const seeds = Array.from({ length: isAcceptance ? 400 : 40 }, (_, seed) => seed);
  const [expected, actual] = [cpu, gpu].map((device) => seeds.map((seed) => moved(seed, device)));
  for (const all of [expected, actual]) evaluate(...all.flat());
  for (const seed of seeds) {
    for (const [i, y] of actual[seed].entries()) {
      expect([...(await y.data())], `${seed}`).toEqual([...(await expected[seed][i].data())]);
    }
  }
});
