import { afterAll, beforeAll, expect, test } from "vitest";
import { CpuDevice } from "../../src/devices/cpu/cpu-device.ts";
import { groupsOf } from "../../src/devices/webgpu/readback.ts";
import { readAll } from "../../src/graph/tensor.ts";
import { type Device, init, Parameter, tensor, zeros } from "../../src/index.ts";
import { saveSafetensors } from "../../src/io/index.ts";
import { inBrowser, testDevice } from "../support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => device.dispose());

test("values read together are of one moment, and one read", async () => {
  const [a, b] = ["a", "b"].map((name) => new Parameter(tensor([1, 2]), { name }));
  await a.data();
  const mark = device.counters.now;
  const reading = readAll("mine", [a, b, a.add(b), zeros([0, 3]), a, tensor([true, false])]);
  a.assign(tensor([9, 9]));
  b.assign(tensor([9, 9]));
  const want = [[1, 2], [1, 2], [2, 4], [], [1, 2], [1, 0]];
  expect((await reading).map((values) => [...values])).toEqual(want);
  expect(device.counters.since(mark).reads).toBe(1);
});

test("what is read is a copy", async () => {
  for (const x of [tensor([1, 2]), tensor([0, 1]).add(1)]) {
    const [values] = await readAll("mine", [x]);
    values[0] = 9;
    expect(await x.toArray()).toEqual([1, 2]);
  }
});

test("tensors of two devices are read together", async () => {
  const { device: other } = await init({ device: "cpu", isolated: true });
  const [a, b] = [tensor([1]), tensor([2], { device: other })];
  const read = await readAll("mine", [b.add(1), a.add(1), b.add(2), a]);
  expect(read.map(([x]) => x)).toEqual([3, 2, 4, 1]);
});

test("a file of several tensors is one read", async () => {
  const a = tensor([1, 2]).add(1);
  const mark = device.counters.now;
  await saveSafetensors(
    new Map([
      ["a", a],
      ["b", a.add(1)],
    ]),
  );
  const { reads, submits } = device.counters.since(mark);
  expect(reads).toBe(1);
  if (inBrowser) expect(submits).toBeLessThanOrEqual(2);
});

test("what a buffer does not hold goes into several, in order", () => {
  const wanted = [40, 0, 60, 1, 99, 100].map((size) => {
    return { storage: { bytes: 4 * size, failure: null }, dtype: "f32" as const, size };
  });
  expect(groupsOf(wanted, 400).map(({ bytes }) => bytes)).toEqual([400, 400, 400]);
  expect(groupsOf([], 400)).toEqual([]);
});

test("the promise of a device's loss settles when it is disposed", async () => {
  const own = new CpuDevice();
  own.dispose();
  expect(await own.lost).toEqual({ reason: "destroyed", message: "disposed" });
});
