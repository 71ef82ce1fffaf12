import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GpuDevice } from "../../../src/devices/webgpu/gpu-device.ts";
import { phaseChoice, phaseTraits } from "../../../src/devices/webgpu/phases.ts";
import type { GpuSession } from "../../../src/devices/webgpu/session.ts";
import { type Device, init, setDefaultDevice } from "../../../src/index.ts";
import { kernelKinds } from "../../support/kernel-kinds.ts";
import { SMALL_RUNS, type SmallRun } from "../../support/small-nets.ts";

/** With phases, and with the same kernels in dispatches. */
let devices: readonly GpuDevice[];
let cpu: Device;
beforeAll(async () => {
  const { direct, workgroup } = await kernelKinds();
  const session = direct.session as GpuSession;
  const { traits } = workgroup.session as GpuSession;
  expect([traits.phases, session.traits.phases]).toEqual([true, false]);
  const own = { traits: { ...phaseTraits(traits), phases: false }, choose: phaseChoice(traits) };
  Object.assign(session, own);
  devices = [workgroup, direct];
  cpu = (await init({ device: "cpu", isolated: true })).device;
});
afterAll(() => {
  for (const device of [...devices, cpu]) device.dispose();
});

const STEPS = 12;

async function valuesOn(device: Device, make: () => SmallRun) {
  setDefaultDevice(device);
  const run = make();
  await run.prepare();
  await run.step();
  const { counters } = device as GpuDevice;
  const mark = counters?.now;
  for (let i = 1; i < STEPS; i++) await run.step();
  const counts = mark && counters.since(mark);
  return { counts, values: await run.values() };
}

describe("steps in phases give the bits of steps in dispatches, and what the CPU gives", () => {
  test.each(Object.entries(SMALL_RUNS))("%s", async (_, make) => {
    const [phased, apart] = [await valuesOn(devices[0], make), await valuesOn(devices[1], make)];
    expect(phased.counts?.dispatches).toBe(STEPS - 1);
    expect(apart.counts?.dispatches).toBeGreaterThanOrEqual(4 * (STEPS - 1));
    expect(phased.values).toEqual(apart.values);
    const { values } = await valuesOn(cpu, make);
    for (const [i, own] of values.entries()) {
      const scale = Math.max(1e-3, ...Array.from(own, Math.abs));
      for (const [k, x] of Array.from(own).entries()) {
        expect(Math.abs(phased.values[i][k] - x) / scale, `${i} ${k}`).toBeLessThan(1e-3);
      }
    }
  });
});
