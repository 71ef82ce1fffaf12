import { afterEach, expect, test } from "vitest";
import type { GpuDevice } from "../src/devices/webgpu/gpu-device.ts";
import {
  assignAll,
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
  tensor,
  zeros,
} from "../src/index.ts";
import { broken } from "./support/broken.ts";

async function gpu(): Promise<GpuDevice> {
  const { device } = await init({ device: "webgpu" });
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

test("a lost device turns every later call into a DeviceError", async () => {
  const device = await gpu();
  const x = tensor([1, 2, 3]);
  expect(await x.add(1).toArray()).toEqual([2, 3, 4]);
  const y = x.add(2);
  device.device.destroy();
  await device.device.lost;
  const message =
    /: the webgpu device was lost \(.*\); expected a live device\. Call init\(\) again/;
  await expect(y.toArray()).rejects.toThrow(DeviceError);
  await expect(y.toArray()).rejects.toThrow(message);
  expect(() => x.add(2)).toThrow(message);
  expect(() => tensor([1])).toThrow(message);
  expect(() => evaluate(y)).toThrow(message);
  x.dispose();
});

test("a read under way when the device is lost rejects", async () => {
  const device = await gpu();
  const reading = tensor([1, 2, 3]).add(1).toArray();
  device.device.destroy();
  await expect(reading).rejects.toThrow(DeviceError);
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

test("two devices live side by side and do not mix", async () => {
  const device = await gpu();
  const { device: cpu } = await init({ device: "cpu", isolated: true });
  const a = tensor([1, 2]);
  const b = tensor([1, 2], { device: cpu });
  expect(await a.add(1).toArray()).toEqual(await b.add(1).toArray());
  expect(() => a.add(b)).toThrow("add: inputs on webgpu and cpu; expected one device");
  expect(() => tensor([1], { dtype: "f64" })).toThrow(/^tensor: dtype f64 on webgpu; expected one/);
  device.dispose();
});
