import type { Device } from "../../src/index.ts";
import { init } from "../../src/index.ts";

/** Whether the test runs in a page. */
export const inBrowser = typeof document !== "undefined";

let device: Promise<Device> | undefined;

/** The device that a test file runs on: WebGPU in the browser, the CPU in Node. */
export function testDevice(): Promise<Device> {
  device ??= init({ device: inBrowser ? "webgpu" : "cpu" }).then((choice) => choice.device);
  return device;
}
