import { beforeAll, expect, test } from "vitest";
import { describeAdapter, findAdapter, findGpu } from "../../src/devices/webgpu/adapter.ts";
import { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import { type Device, init } from "../../src/index.ts";
import { isAcceptance } from "../support/acceptance.ts";
import { compiledRun, difference, plainRun } from "../support/program-runs.ts";

// Other programs: VITE_FIRST=40 VITE_COUNT=200.
const FIRST = Number(import.meta.env.VITE_FIRST ?? 0);
const COUNT = Number(import.meta.env.VITE_COUNT ?? (isAcceptance ? 200 : 40));

let cpu: Device;
const gpus: Device[] = [];
beforeAll(async () => {
  cpu = (await init({ device: "cpu", engine: "plain" })).device;
  for (const kernels of ["direct", "workgroup"] as const) {
    gpus.push((await init({ device: "webgpu", isolated: true, kernels })).device);
    gpus.push(await leastDevice(kernels));
  }
});

/** A device with the limits that every adapter has: 8 buffers a kernel, 16 KiB for workgroups. */
async function leastDevice(kernels: "direct" | "workgroup"): Promise<Device> {
  const adapter = (await findAdapter(await findGpu())) as GPUAdapter;
  const device = await adapter.requestDevice();
  expect(device.limits.maxStorageBuffersPerShaderStage).toBe(8);
  return new GpuDevice(device, await describeAdapter(adapter), { kernels });
}

for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
  test(`random program ${seed} means the same compiled and not`, async () => {
    const want = await plainRun(seed, cpu, "f64");
    expect(difference(await compiledRun(seed, cpu), want), "cpu").toBe("");
    const gpu = gpus[seed % gpus.length];
    expect(difference(await compiledRun(seed, gpu), want), "webgpu").toBe("");
  });
}
