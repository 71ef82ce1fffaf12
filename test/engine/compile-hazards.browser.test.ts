import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { describeAdapter, findAdapter, findGpu } from "../../src/devices/webgpu/adapter.ts";
import { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import type { GpuSession } from "../../src/devices/webgpu/session.ts";
import {
  add,
  assignAll,
  compile,
  DeviceError,
  init,
  matmul,
  mean,
  mul,
  ones,
  reshape,
  State,
  scope,
  setDefaultDevice,
  slice,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  zeros,
} from "../../src/index.ts";
import { broken } from "../support/broken.ts";
import { PATIENT } from "../support/patient.ts";

let device: GpuDevice;
beforeEach(async () => {
  device = (await init({ device: "webgpu" })).device as GpuDevice;
});
afterEach(() => device.dispose());

/** A device with the limits that every adapter has. */
async function leastDevice(): Promise<GpuDevice> {
  const adapter = (await findAdapter(await findGpu())) as GPUAdapter;
  return new GpuDevice(await adapter.requestDevice(), await describeAdapter(adapter));
}

test("a compiled function that calls another one says so", async () => {
  const n = new State(tensor(1), { name: "n" });
  const inner = compile((x: Tensor) => n.assign(add(n, x)));
  await inner(tensor(1));
  const rejected: string[] = [];
  const outer = compile((x: Tensor) => {
    for (const call of [inner(x), inner.prepare(x), inner.profile(x)] as Promise<unknown>[]) {
      call.catch((error: Error) => rejected.push(error.message));
    }
    return add(n, x);
  });
  expect(await (await outer(tensor(10))).item()).toBe(12);
  // What writes messages is loaded first.
  await vi.waitFor(() => expect(rejected).toHaveLength(3), PATIENT);
  for (const message of rejected) {
    expect(message).toMatch(/^compile: called in a function that is being compiled; expected/);
  }
  expect(await n.item()).toBe(2);
});

test("a function disposed while a call waits for its plan keeps no memory", async () => {
  const f = compile((x: Tensor) => sum(matmul(tanh(matmul(x, x)), x)));
  const x = ones([8, 8]);
  const y = tensor([
    [1, 2],
    [3, 4],
  ]);
  (await f(y)).dispose();
  f.dispose();
  const calls = [f(x), f(x)];
  f.dispose();
  for (const result of await Promise.all(calls)) expect(await result.item()).toBeGreaterThan(63);
  (await f(x)).dispose();
  f.dispose();
  const { buffers } = device.memory();
  for (let i = 0; i < 3; i++) {
    const call = f(x);
    f.dispose();
    (await call).dispose();
  }
  expect(device.memory().buffers).toBe(buffers);
});

test("a batch freed while its step waits to be submitted is still read", async () => {
  // Spare memory is full, so that what is freed goes back to the system.
  const w = new State(ones([4]));
  const f = compile((x: Tensor) => w.assign(add(w, x)), { stepsPerSubmit: 8 });
  await f(ones([4]));
  expect(await w.toArray()).toEqual([2, 2, 2, 2]);
  const { pool } = device.session as GpuSession;
  pool.release(pool.acquire(256 * 2 ** 20));
  for (let i = 0; i < 3; i++) {
    const x = tensor([i, 1, 2, 3]);
    await f(x);
    x.dispose();
  }
  expect(await w.toArray()).toEqual([5, 5, 8, 11]);
});

test("calls that nothing guards go on after a loss, and what they changed is gone", async () => {
  const w = new State(ones([512, 512]), { name: "w" });
  const f = compile(() => w.assign(tanh(matmul(w, w))), { stepsPerSubmit: 1 });
  await f();
  const calls = Array.from({ length: 8 }, () => f());
  device.device.destroy();
  await Promise.allSettled(calls);
  await expect(f()).rejects.toThrow(DeviceError);
  w.assign(zeros([512, 512]));
  await f();
  expect((await w.data())[0]).toBe(0);
});

test("a plan that is being built when the device is lost is built again", async () => {
  const f = compile((x: Tensor) => sum(tanh(matmul(x, x))));
  const calls = [f(ones([4, 4])), f.prepare(ones([4, 4])), f.profile(ones([4, 4]))] as const;
  device.device.destroy();
  const [y, plan, profile] = await Promise.all(calls);
  expect(await y.item()).toBeCloseTo(16 * Math.tanh(4), 4);
  expect((await plan.stats()).dispatches).toBe(profile.kernels.length);
});

test("a kernel of several stages binds no more buffers than a device allows", async () => {
  const least = await leastDevice();
  const own = { device: least };
  const rows = 4;
  const x = add(zeros([rows, 70_000], own), 1);
  const others = Array.from({ length: 6 }, (_, i) => tensor([i, i, i, i], own));
  const f = compile((y: Tensor, given: Tensor[]) => {
    const first = reshape(slice(y, [{}, { end: 1 }]), [rows]);
    return given.reduce((total, z) => add(total, z), mul(sum(y, { axis: 1 }), first));
  });
  const result = await f(x, others);
  expect(Array.from(await result.data())).toEqual([70015, 70015, 70015, 70015]);
  least.dispose();
});

test("a call beside a profile has results of its own", async () => {
  const n = new State(tensor(0));
  const f = compile((x: Tensor) => {
    n.assign(add(n, 1));
    return add(n, x);
  });
  (await f(tensor(0))).dispose();
  const profile = f.profile(tensor(1000));
  for (let i = 0; i < 8; i++) await null; // it has begun
  const x = tensor(100);
  const y = await f(x);
  await profile;
  expect([await y.item(), await n.item()]).toEqual([103, 3]);
});

test("texts in arguments are told apart whatever is in them", async () => {
  const f = compile((x: Tensor, ...names: string[]) => add(x, names.length));
  const x = tensor(0);
  expect(await (await f(x, "a,string b")).item()).toBe(1);
  expect(await (await f(x, "a", "b")).item()).toBe(2);
  const g = compile((y: Tensor, by: number) => add(y, 1 / by > 0 ? 1 : 2));
  expect(await (await g(x, 0)).item()).toBe(1);
  expect(await (await g(x, -0)).item()).toBe(2);
});

test("tensors made in a scope inside are constants of the plan", async () => {
  const f = compile((x: Tensor) =>
    scope(() => {
      using by = tensor([10, 20]);
      return add(mul(x, by), tensor([1, 2]));
    }),
  );
  expect(await (await f(tensor([1, 1]))).toArray()).toEqual([11, 22]);
  expect(await (await f(tensor([2, 3]))).toArray()).toEqual([21, 62]);
});

test("a large part shares a dispatch with a small one beyond 65,535 workgroups", async () => {
  const n = 65_536 * 64 + 3;
  const big = new State(zeros([n]));
  const small = new State(tensor([1, 2, 3]));
  const f = compile((x: Tensor) =>
    assignAll([
      [big, add(big, mean(x))],
      [small, sub(small, mean(x))],
    ]),
  );
  await f(tensor([1, 3]));
  await f(tensor([2, 4]));
  const values = await big.data();
  expect(values.length).toBe(n);
  expect(values.every((value) => value === 5)).toBe(true);
  expect(await small.toArray()).toEqual([-4, -3, -2]);
});

test("one tensor twice in the arguments, and as a state's new value", async () => {
  const a = new State(zeros([5]));
  const b = new State(zeros([5]));
  const f = compile((x: Tensor, y: Tensor) => {
    assignAll([
      [a, x],
      [b, add(x, y)],
    ]);
    return [x, y, a, a];
  });
  const x = ones([5]);
  const results = await f(x, x);
  x.dispose();
  for (const result of results) expect(Array.from(await result.data())).toEqual([1, 1, 1, 1, 1]);
  const [first, ...others] = results;
  await f(first, first);
  first.dispose();
  for (const other of others) expect(Array.from(await other.data())).toEqual([1, 1, 1, 1, 1]);
  expect(await b.toArray()).toEqual([2, 2, 2, 2, 2]);
});

test("uploads, reads and evaluations between calls keep their order", async () => {
  const w = new State(tensor([0, 0, 0]));
  const f = compile((x: Tensor) => w.assign(add(mul(w, 2), x)), { stepsPerSubmit: 100 });
  const one = tensor([1, 1, 1]);
  await f(one);
  const lazy = mul(w, 10);
  const argument = add(lazy, 1);
  await f(argument);
  const reading = w.data();
  w.assign(tensor([7, 8, 9]));
  await f(one);
  await f(add(w, 0));
  expect(Array.from(await reading)).toEqual([13, 13, 13]);
  expect(await w.toArray()).toEqual([45, 51, 57]);
});

test("a kernel that does not compile rejects the call, and others go on", async () => {
  const n = new State(tensor([0]));
  const f = compile((x: Tensor) => n.assign(broken(x)));
  const x = tensor([1]);
  await expect(f(x)).rejects.toThrow(/broken.*no_such_function/s);
  await expect(f(x)).rejects.toThrow(/broken.*no_such_function/s);
  const g = compile((y: Tensor) => n.assign(add(n, y)));
  await g(x);
  expect(await n.toArray()).toEqual([1]);
  setDefaultDevice(device);
});
