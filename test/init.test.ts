import { expect, test } from "vitest";
import { add, DeviceError, init, memory, setDefaultDevice, tensor } from "../src/index.ts";
import { inBrowser } from "./support/device.ts";

test("auto never takes a GPU that the CPU emulates, and says why", async () => {
  const { device, reason } = await init({ device: "auto" });
  expect(device.kind).toBe("cpu");
  expect(reason).toMatch(
    inBrowser
      ? /^the only WebGPU adapter is emulated by the CPU/
      : /^Node has no WebGPU of its own$/,
  );
});

test("webgpu takes an emulated GPU, or fails clearly", async () => {
  if (inBrowser) {
    const { device, reason } = await init({ device: "webgpu" });
    expect([device.kind, reason]).toEqual(["webgpu", "asked for"]);
    expect(device.description).toMatch(/swiftshader/i);
    device.dispose();
    expect(() => tensor([1])).toThrow(DeviceError);
  } else {
    await expect(init({ device: "webgpu" })).rejects.toThrow(
      new DeviceError(
        'webgpu: Node has no WebGPU of its own; expected the package "webgpu". ' +
          "Run npm install webgpu, or use the cpu device",
      ),
    );
  }
});

test("a wrong device name and a missing init are told", async () => {
  await expect(init({ device: "tpu" as "cpu" })).rejects.toThrow(
    'init: device "tpu"; expected auto, webgpu or cpu',
  );
  setDefaultDevice(null);
  expect(() => tensor([1])).toThrow(
    "device: none yet; expected `await init()` before the first tensor",
  );
});

test("a device that is not the default one is used by naming it", async () => {
  await init({ device: "cpu" });
  const { device } = await init({ device: "cpu", asDefault: false });
  const before = memory().tensors;
  using x = add(tensor([1, 2], { device }), 1);
  expect(await x.toArray()).toEqual([2, 3]);
  expect(memory().tensors).toBe(before);
  expect(memory(device).tensors).toBeGreaterThan(0);
  device.dispose();
  expect(() => add(x, 1)).toThrow("add: the cpu device was disposed; expected a live one");
});
