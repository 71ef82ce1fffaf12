import { beforeAll, expect, test } from "vitest";
import { randomBits, uniformFromBits } from "../../src/core/random.ts";
import {
  add,
  cast,
  compile,
  type Device,
  foldIn,
  full,
  init,
  keyFromSeed,
  less,
  normalAt,
  randomNormal,
  State,
  sum,
  tensor,
  transpose,
  uniformAt,
} from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

let device: Device;
let cpu: Device;
beforeAll(async () => {
  cpu = (await init({ device: "cpu", isolated: true })).device;
  device = await testDevice();
});

const counter = (step: number, on = device) =>
  tensor(Uint32Array.of(step), { shape: [], device: on });

const LAST = 2 ** 32 - 1;

test.each([0, 1, 2 ** 31, LAST])("step %i draws the stream of its own key", async (step) => {
  const key = keyFromSeed(2 ** 33 + 5);
  using y = uniformAt(counter(step), [3, 67], { key });
  const bits = randomBits(foldIn(key, step), 201);
  expect(await y.data()).toEqual(Float32Array.from(bits, uniformFromBits));
});

test.each([
  [0, 1],
  [-1, 1],
  [-0.3, 0.3],
  [0.1, 0.7],
  [-1e-3, 1e6],
  [1e8, 1e8 + 8],
  [1, 1 + 2 ** -23],
  [2, 2],
])("uniform numbers from %f to %f have the same bits on every device", async (low, high) => {
  const [a, b] = await Promise.all(
    [device, cpu].map((on) => uniformAt(counter(9, on), [4099], { seed: 3, low, high }).data()),
  );
  expect(a).toEqual(b);
  const [bottom, top] = [Math.fround(low), Math.fround(high)];
  for (const v of a) expect(v >= bottom && (v < top || top === bottom)).toBe(true);
  const u = await uniformAt(counter(9), [4099], { seed: 3 }).data();
  const ulp = Math.max(Math.abs(low), Math.abs(high)) * 2 ** -23;
  // What rounding carries up to `high` becomes `low`.
  const near = (v: number, i: number) => Math.abs(v - (low + u[i] * (high - low))) <= 2 * ulp;
  expect(Array.from(a).every((v, i) => near(v, i) || v === bottom)).toBe(true);
});

test("normal numbers are those of randomNormal for the step's key", async () => {
  const [key, n] = [keyFromSeed(6), 60_001];
  const plain = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
  for (const step of [0, LAST]) {
    const expected = await randomNormal([n], { key: foldIn(key, step), device: cpu }).data();
    for (const on of [device, plain]) {
      const z = await normalAt(counter(step, on), [n], { key }).data();
      let worst = 0;
      for (let i = 0; i < n; i++) worst = Math.max(worst, Math.abs(z[i] - expected[i]));
      expect(worst).toBeLessThanOrEqual(on === plain ? 0 : 1e-6); // drawn in float64, or in float32
    }
  }
});

test("normal numbers on the CPU in f64 are not rounded", async () => {
  const [step, key] = [counter(2, cpu), keyFromSeed(1)];
  const y = await normalAt(step, [9], { key, mean: 1, std: 0.1, dtype: "f64" }).data();
  const options = { key: foldIn(key, 2), mean: 1, std: 0.1, dtype: "f64", device: cpu } as const;
  expect(y).toEqual(await randomNormal([9], options).data());
});

test("a counter in a state draws new numbers in each replay, the same in both of their uses", async () => {
  using step = new State(full([], 0, { dtype: "u32" }));
  const run = compile(() => {
    const u = uniformAt(step, [6, 5], { seed: 8 });
    const masked = cast(less(transpose(u), 0.5), "f32");
    step.assign(add(step, 1));
    return { masked, u: add(u, 0), total: sum(masked) };
  });
  for (let i = 0; i < 4; i++) {
    const { masked, u, total } = await run();
    const bits = randomBits(foldIn(keyFromSeed(8), i), 30);
    const expected = Float32Array.from(bits, uniformFromBits);
    expect(await u.data()).toEqual(expected);
    const values = [...(await masked.data())];
    expect(values).toEqual(
      Array.from({ length: 30 }, (_, j) =>
        expected[(j % 6) * 5 + Math.floor(j / 6)] < 0.5 ? 1 : 0,
      ),
    );
    expect(await total.item()).toBe(values.reduce((a, b) => a + b, 0));
    for (const x of [masked, u, total]) x.dispose();
  }
  run.dispose();
});
