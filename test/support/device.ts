import type { Device, InitOptions } from "../../src/index.ts";
import { init, setDefaultDevice } from "../../src/index.ts";

/** Whether the test runs in a page. */
export const inBrowser = typeof document !== "undefined";

/**
 * What `testDevice` asks for. What plans make there can be counted, since they begin with the kernels
 * that they stay with.
 */
export const testOptions: InitOptions = inBrowser
  ? { device: "webgpu", tune: "off" }
  : { device: "cpu" };

/** The device that a test file runs on: WebGPU in the browser, the CPU in Node. */
export async function testDevice(): Promise<Device> {
  return (await init(testOptions)).device;
}

/** A new device that nothing else uses, as the default one. */
export async function ownDevice(options: InitOptions = {}): Promise<Device> {
  const { device } = await init({
    ...testOptions,
    ...options,
    isolated: true,
  });
  setDefaultDevice(device);
  return device;
}
