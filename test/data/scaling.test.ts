import { beforeAll, expect, test } from "vitest";
import {
  FeatureScaling,
  minMaxScaling,
  standardScaling,
  TensorDataset,
} from "../../src/data/index.ts";
import { compile, type Device, init, scope, type Tensor, tensor } from "../../src/index.ts";
import { expectClose } from "../support/close.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

test("standardScaling gives mean 0 and deviation 1, and 0 for constant features", async () => {
  // deviations: √(2/3) · 1 of 1, 2, 3; 0 of 0.1, where a plain mean would be off
  const x = tensor([1, 0.1, -6, 2, 0.1, 0, 3, 0.1, 6], { shape: [3, 3] });
  using scaling = await standardScaling(x);
  expectClose(scaling.offset, [2, Math.fround(0.1), 0], 12);
  expectClose(scaling.scale, [Math.sqrt(2 / 3), 0, Math.sqrt(24)], 12);
  const unit = Math.sqrt(3 / 2);
  using y = scaling.apply(x);
  expectClose(await y.data(), [-unit, 0, -unit, 0, 0, 0, unit, 0, unit], 6);
  using back = scaling.invert(y);
  expectClose(await back.data(), [...(await x.data())], 6);
  using other = scaling.apply(tensor([[2, 77, 0]]));
  expect([...(await other.data())]).toEqual([0, 0, 0]);
});

test("large offsets keep their digits", async () => {
  const values = [2 ** 23 + 1, 2 ** 23 + 2, 2 ** 23 + 4, 2 ** 23 + 6];
  using scaling = await standardScaling(tensor(values, { shape: [4, 1] }));
  expect(scaling.offset[0]).toBe(2 ** 23 + 3.25);
  const deviation = Math.sqrt((2.25 ** 2 + 1.25 ** 2 + 0.75 ** 2 + 2.75 ** 2) / 4);
  using y = scaling.apply(tensor(values, { shape: [4, 1] }));
  expectClose(
    await y.data(),
    [-2.25, -1.25, 0.75, 2.75].map((v) => v / deviation),
    6,
  );
});

test("minMaxScaling gives [0, 1], and 0 for constant features", async () => {
  const x = tensor([-2, 5, 2, 5, 0, 5], { shape: [3, 2] });
  using scaling = await minMaxScaling(x);
  using y = scaling.apply(x);
  expect(await y.toArray()).toEqual([
    [0, 0],
    [1, 0],
    [0.5, 0],
  ]);
  using back = scaling.invert(y);
  expect(await back.data()).toEqual(await x.data());
});

test("examples may be kept as f16", async () => {
  const x = tensor([[1, 2], [3, 6]], { dtype: "f16" }); // biome-ignore format: rows
  using scaling = await standardScaling(x);
  expect(await scaling.apply(x).toArray()).toEqual([[-1, -1], [1, 1]]); // biome-ignore format: rows
});

test("features may have any shape, and examples whole numbers", async () => {
  const bytes = tensor(Uint8Array.of(0, 10, 20, 30, 100, 30, 60, 30), { shape: [2, 2, 2] });
  using scaling = await minMaxScaling(bytes);
  expect(scaling.shape).toEqual([2, 2]);
  using data = new TensorDataset({ bytes }, { prepare: { bytes: scaling.apply } });
  using batch = data.batch(Uint32Array.of(1, 0));
  expect(batch.bytes.dtype).toBe("f32");
  expect([...(await batch.bytes.data())]).toEqual([1, 1, 1, 0, 0, 0, 0, 0]);
  using column = await standardScaling(tensor([3, 5]));
  expect(column.shape).toEqual([]);
  expect([...(await column.apply(tensor([3, 5, 6])).data())]).toEqual([-1, 1, 2]);
});

test("a compiled function and a scope leave a scaling usable", async () => {
  using scaling = new FeatureScaling([2], [1, 2], [2, 4]);
  const run = compile((x: Tensor) => scaling.apply(x));
  const x = tensor([5, 10], { shape: [1, 2] });
  using y = await run(x);
  expect([...(await y.data())]).toEqual([2, 2]);
  using eager = scaling.apply(x);
  expect([...(await eager.data())]).toEqual([2, 2]);
  run.dispose();
  using scoped = new FeatureScaling([2], [1, 2], [2, 4]);
  scope(() => scoped.apply(x));
  using later = scoped.apply(x);
  expect([...(await later.data())]).toEqual([2, 2]);
});

test("disposing frees what was placed on the device", async () => {
  const x = tensor([1, 2], { shape: [1, 2] });
  await x.data();
  const before = held(device);
  const scaling = new FeatureScaling([2], [1, 2], [2, 4]);
  const y = scaling.apply(x);
  await y.data();
  for (const part of [y, scaling, x]) part.dispose();
  expect(held(device)).toBeLessThanOrEqual(before);
});

test("bad features are rejected", async () => {
  await expect(standardScaling(tensor([], { shape: [0, 2] }))).rejects.toThrow(
    "standardScaling: input [0, 2]; expected [n, …] with n from 1",
  );
  await expect(minMaxScaling(tensor([1, Number.NaN], { shape: [1, 2] }))).rejects.toThrow(
    "minMaxScaling: feature 1 has NaN or infinities; expected finite numbers",
  );
  using scaling = new FeatureScaling([2], [0, 0], [1, 1]);
  expect(() => scaling.apply(tensor([[1, 2, 3]]))).toThrow(
    "FeatureScaling.apply: input [1, 3]; expected [n, 2]",
  );
  expect(() => scaling.invert(tensor(1))).toThrow(
    "FeatureScaling.invert: input []; expected [n, 2]",
  );
  expect(() => new FeatureScaling([2], [0], [1, 1])).toThrow(
    "FeatureScaling: 1 offsets and 2 scales; expected 2",
  );
  expect(() => new FeatureScaling([1], [0], [-1])).toThrow(
    "FeatureScaling: feature 0 with offset 0 and scale -1",
  );
});

test("in float64 nothing is rounded", async () => {
  const cpu = (await init({ device: "cpu", isolated: true })).device;
  const values = [0.1, 0.2, 0.4];
  const x = tensor(values, { shape: [3, 1], dtype: "f64", device: cpu });
  using scaling = await standardScaling(x);
  const mean = 0.7 / 3;
  const deviation = Math.sqrt(values.reduce((t, v) => t + (v - mean) ** 2, 0) / 3);
  expectClose(
    await scaling.apply(x).data(),
    values.map((v) => (v - mean) / deviation),
    13,
  );
});
