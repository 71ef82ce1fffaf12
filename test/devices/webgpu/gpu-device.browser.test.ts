import { afterEach, expect, test, vi } from "vitest";
import type { GpuDevice } from "../../../src/devices/webgpu/gpu-device.ts";
import type { GpuSession } from "../../../src/devices/webgpu/session.ts";
import {
  assignAll,
  compile,
  DeviceError,
  evaluate,
  grad,
  init,
  matmul,
  Parameter,
  randomNormal,
  type State,
  sigmoid,
  square,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../../src/index.ts";
import { broken } from "../../support/broken.ts";
import { PATIENT } from "../../support/patient.ts";

async function gpu(): Promise<GpuDevice> {
  const { device } = await init({ device: "webgpu", tune: "off" });
  return device as GpuDevice;
}

const errors: string[] = [];
afterEach(() => {
  expect(errors.splice(0)).toEqual([]);
});

test("training leaves tensors, buffers and bytes where they were", async () => {
  const device = await gpu();
  device.device.addEventListener("uncapturederror", (e) => errors.push(e.error.message));
  const w = new Parameter(randomNormal([8, 4], { seed: 1 }), { name: "w" });
  const x = randomNormal([16, 8], { seed: 2 });
  const step = async (): Promise<number> => {
    const loss = sum(square(sigmoid(matmul(x, w))));
    assignAll([[w as State, w.sub(grad(loss, [w])[0].mul(0.01))]], [loss]);
    const value = await loss.item();
    loss.dispose();
    return value;
  };
  let first = 0;
  let last = 0;
  for (let i = 0; i < 10; i++) first = await step();
  const early = device.memory();
  for (let i = 10; i < 2000; i++) last = await step();
  const { reclaimed: _, ...held } = early; // the collector may take what other tests left
  expect(device.memory()).toMatchObject(held);
  expect(last).toBeLessThan(first);
  device.dispose();
}, 120_000);

test("a lost device is made again, and what can be had again is there", async () => {
  const device = await gpu();
  const x = tensor([1, 2, 3]);
  expect(await x.add(1).toArray()).toEqual([2, 3, 4]);
  const y = x.add(2);
  const { device: before } = device;
  before.destroy();
  await before.lost;
  expect(await y.toArray()).toEqual([3, 4, 5]);
  expect(await x.toArray()).toEqual([1, 2, 3]);
  expect((await init({ device: "webgpu", tune: "off" })).device).toBe(device);
  expect(device.device).not.toBe(before);
  x.dispose();
  device.dispose();
  expect(() => tensor([1])).toThrow(DeviceError);
});

test("a read under way when the device is lost is made again", async () => {
  const device = await gpu();
  await vi.waitFor(() => expect(device.journal).not.toBeNull(), PATIENT);
  const reading = tensor([1, 2, 3]).add(1).toArray();
  device.device.destroy();
  expect(await reading).toEqual([2, 3, 4]);
  device.dispose();
});

test("too large a result is refused before anything is dispatched", async () => {
  const device = await gpu();
  const limit = device.device.limits.maxStorageBufferBindingSize;
  const rows = Math.ceil(limit / 4 / 65536) + 1;
  const x = zeros([rows, 1]).add(zeros([1, 65536]));
  await expect(x.data()).rejects.toThrow(/expected at most \d+, the adapter's limit/);
  expect(await tensor([1]).add(1).item()).toBe(2);
  device.dispose();
});

test("a kernel that does not compile rejects with the op and the compiler's message", async () => {
  const device = await gpu();
  const y = broken(tensor([1, 2]));
  await expect(y.data()).rejects.toThrow(/^broken: .*no_such_function/s);
  expect(await tensor([1]).add(1).item()).toBe(2);
  device.dispose();
});

test("bool and u8 tensors cross to the device and back", async () => {
  const device = await gpu();
  const bits = tensor([true, false, true, true, false]);
  expect(await bits.reshape([5, 1]).reshape([5]).toArray()).toEqual([1, 0, 1, 1, 0]);
  const bytes = tensor(new Uint8Array([1, 2, 3, 250, 255]));
  expect(await bytes.data()).toEqual(new Uint8Array([1, 2, 3, 250, 255]));
  device.dispose();
});

test("memory stays where it was: slots of plans, staging of reads, plans of a compiled function", async () => {
  const device = await gpu();
  const counts = () => {
    const { reclaimed: _, ...rest } = device.memory();
    return rest;
  };
  const x = randomNormal([8, 8], { seed: 1 });
  // A product between two others lies in a slot of the plan.
  const evaluated = async () => {
    using y = sum(matmul(matmul(matmul(x, x), x), x));
    return y.item();
  };
  const first = await evaluated();
  const early = counts();
  for (let i = 0; i < 50; i++) expect(await evaluated()).toBe(first);
  expect(counts()).toEqual(early);

  vi.spyOn(console, "warn").mockImplementation(() => {});
  // Each plan has a constant of its own, and all of them the same pipelines.
  const f = compile((y: Tensor, by: number) =>
    sum(matmul(matmul(y, y), tensor(Array(8).fill([by])))),
  );
  const call = async (by: number) => {
    using y = await f(x, by);
    return y.item();
  };
  for (let i = 0; i < 70; i++) await call(i);
  const kept = counts();
  const one = await call(1);
  for (let i = 70; i < 150; i++) await call(i);
  expect(await call(3)).toBeCloseTo(3 * one, 4);
  expect(f.plans).toHaveLength(64);
  expect(counts()).toEqual(kept);
  const { tensors, buffers, bytes, pipelines } = kept;
  f.dispose();
  expect(counts()).toEqual({ ...early, buffers, bytes });
  for (let i = 0; i < 64; i++) await call(i); // with the buffers that are spare now
  expect(counts()).toMatchObject({ tensors, buffers, pipelines });
  f.dispose();
  device.dispose();
  vi.restoreAllMocks();
});

test("pipelines go with the last plan that has them", async () => {
  const device = await gpu();
  const make = () => compile((x: Tensor) => sum(matmul(x, x)));
  const [f, g] = [make(), make()];
  const x = randomNormal([4, 4], { seed: 1 });
  const made = () => device.counters.now.pipelines;
  await Promise.all([f.prepare(x), g.prepare(x)]); // built once, for both
  const count = made();
  expect(device.memory().pipelines).toBe(count);
  expect(count).toBe((await f.plans[0].stats()).dispatches);
  f.dispose();
  expect(device.memory().pipelines).toBe(count);
  const want = await (await g(x)).item();
  expect(await (await f(x)).item()).toBe(want);
  const [plan] = f.plans;
  plan.dispose(); // it makes anew what it needs
  expect(await (await f(x)).item()).toBe(want);
  expect(made()).toBe(count);
  for (const h of [f, g]) h.dispose();
  expect(device.memory().pipelines).toBe(0);
  const building = f(x);
  f.dispose();
  expect(await (await building).item()).toBe(want);
  expect(device.memory().pipelines).toBe(0);
  expect(made()).toBe(2 * count);
  const bad = compile((y: Tensor) => [broken(y), sum(matmul(y, y))]);
  await expect(bad(x)).rejects.toThrow("no_such_function");
  expect(device.memory().pipelines).toBe(0);
  device.dispose();
});

test("a plan that is disposed while it is built lets its pipelines go", async () => {
  const device = await gpu();
  const f = compile((values: Float64Array) => sum(tensor(values, { dtype: "i32" })));
  await expect(f(Float64Array.of(0.5))).rejects.toThrow("0.5 as value 0 of dtype i32");
  f.dispose();
  expect(device.memory().pipelines).toBe(1);
  await vi.waitFor(() => expect(device.memory().pipelines).toBe(0), PATIENT);
  device.dispose();
});

test("plans of evaluations have no memory between their runs", async () => {
  const device = await gpu();
  const x = randomNormal([8, 8], { seed: 1 });
  const run = (rank: number) => {
    const shape = [8, 8, ...new Array<number>(rank).fill(1)]; // another plan of the same kernels
    using y = matmul(matmul(x, x), x).reshape(shape);
    evaluate(y);
  };
  run(0);
  const { buffers, bytes, pipelines } = device.memory();
  for (let rank = 1; rank < 20; rank++) run(rank);
  expect(device.memory()).toMatchObject({ buffers, bytes, pipelines, plans: 20 });
  device.dispose();
});

test("plans of evaluations that are forgotten let their pipelines go", async () => {
  const device = await gpu();
  for (let n = 1; n <= 260; n++) {
    using x = tensor(new Float32Array(4));
    using y = x.add(1).reshape([4, ...new Array<number>(n).fill(1)]); // one kernel for all of them
    evaluate(y);
  }
  expect(device.memory()).toMatchObject({ plans: 256, pipelines: 1, tensors: 0 });
  device.dispose();
});

test("a read that fails gives its staging buffer back", async () => {
  const device = await gpu();
  const x = tensor([1, 2, 3]);
  expect(await x.add(1).toArray()).toEqual([2, 3, 4]);
  const y = x.add(1);
  evaluate(y);
  const { buffers, bytes } = device.memory();
  const map = vi.spyOn(GPUBuffer.prototype, "mapAsync").mockRejectedValue(new Error("mine"));
  for (let i = 0; i < 3; i++) {
    await expect(y.data()).rejects.toThrow("data: mapAsync failed (mine); expected an answer");
  }
  map.mockRestore();
  expect(device.memory().buffers).toBe(buffers - 1);
  expect(await y.toArray()).toEqual([2, 3, 4]);
  expect(device.memory()).toMatchObject({ buffers, bytes });
  device.dispose();
});

test("spare buffers serve again up to 256 MiB, and are destroyed above", async () => {
  const device = await gpu();
  const { pool } = device.session as GpuSession;
  const [a, b, c] = [200, 56, 1].map((mebibytes) => pool.acquire(mebibytes * 2 ** 20));
  expect(pool).toMatchObject({ buffers: 3, bytes: 257 * 2 ** 20 });
  pool.release(a);
  pool.release(b);
  expect(pool).toMatchObject({ buffers: 3, bytes: 257 * 2 ** 20 });
  pool.release(c);
  expect(pool).toMatchObject({ buffers: 2, bytes: 256 * 2 ** 20 });
  const again = pool.acquire(200 * 2 ** 20);
  expect(again.buffer).toBe(a.buffer);
  expect(again).not.toBe(a); // another value, which earlier failures do not concern
  expect(pool.acquire(56 * 2 ** 20 - 255).buffer).toBe(b.buffer); // rounded up to 256 bytes
  pool.release(again);
  expect(pool.buffers).toBe(2); // there is room again
  pool.clear();
  expect(pool).toMatchObject({ buffers: 1, bytes: 56 * 2 ** 20 });
  device.dispose();
});

test("two devices live side by side and do not mix", async () => {
  const device = await gpu();
  const { device: cpu } = await init({ device: "cpu", isolated: true });
  const a = tensor([1, 2]);
  const b = tensor([1, 2], { device: cpu });
  expect(a.preview).toBe("Tensor([2], f32, webgpu) [1, 2]"); // not on the device yet
  expect(await a.add(1).toArray()).toEqual(await b.add(1).toArray());
  expect(a.preview).toBe("Tensor([2], f32, webgpu)");
  expect(() => a.add(b)).toThrow(
    "add: input 0 lives on webgpu, input 1 on cpu; expected one device",
  );
  expect(() => tensor([1], { dtype: "f64" })).toThrow(/^tensor: dtype f64 on webgpu; expected one/);
  device.dispose();
});
