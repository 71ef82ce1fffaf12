import { beforeAll, expect, test } from "vitest";
import { type Device, evaluate, init, type Tensor } from "../../src/index.ts";
import { isAcceptance } from "../support/acceptance.ts";
import { fuzzChains } from "../support/chain-fuzz.ts";
import { randomFlagsAndBytes, randomGraph } from "../support/random-graph.ts";
import { movedElements } from "../support/random-moves.ts";

let cpu: Device;
let gpu: Device;
beforeAll(async () => {
  cpu = (await init({ device: "cpu", engine: "plain" })).device;
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

test("elements that moved several times are where the CPU has them", async () => {
  const seeds = Array.from({ length: isAcceptance ? 400 : 40 }, (_, seed) => seed);
  const [expected, actual] = [cpu, gpu].map((device) =>
    seeds.map((seed) => movedElements(seed, device)),
  );
  for (const all of [expected, actual]) evaluate(...all.flat());
  for (const seed of seeds) {
    for (const [i, y] of actual[seed].entries()) {
      expect([...(await y.data())], `${seed}`).toEqual([...(await expected[seed][i].data())]);
    }
  }
});

test("chains of ops, drawn at random, give what the specification gives", async () => {
  const count = isAcceptance ? 100 : 4;
  expect(await fuzzChains(gpu, cpu, { seed: 1, count })).toBe("");
});
