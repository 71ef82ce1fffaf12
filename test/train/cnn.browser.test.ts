import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Device, explain, init } from "../../src/index.ts";
import { batchOf, stepOf } from "../support/cnn-step.ts";
import { KERNEL_KINDS, kernelKinds } from "../support/kernel-kinds.ts";

let cpu: Device;
let gpus: Awaited<ReturnType<typeof kernelKinds>>;
beforeAll(async () => {
  cpu = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
  gpus = await kernelKinds();
});
afterAll(() => vi.useRealTimers());

describe.each(KERNEL_KINDS)("a step of a convolutional network, %s kernels", (kernels) => {
  test("takes few dispatches, and little more memory than its values at once", async () => {
    const device = gpus[kernels];
    const step = stepOf(device, 28);
    const plan = await step.prepare(batchOf(device, 100, 28));
    const { dispatches } = await plan.stats();
    expect(dispatches, await explain(plan)).toBeLessThanOrEqual(kernels === "direct" ? 14 : 17);
    if (kernels === "direct") return;
    const large = await step.prepare(batchOf(device, 250, 28));
    const { peakBytes, lowerBoundBytes } = await large.stats();
    expect(peakBytes).toBeLessThanOrEqual(1.25 * lowerBoundBytes);
  });

  test("makes nothing when it is steady, and learns as the specification does", async () => {
    const device = gpus[kernels];
    const step = stepOf(device, 8);
    const batch = batchOf(device, 10, 8);
    await step.prepare(batch);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    for (let i = 0; i < 4; i++) await step(batch);
    const first = await step.read();
    const mark = device.counters.now;
    for (let i = 0; i < 8; i++) await step(batch);
    const { dispatches: _, submits, ...made } = device.counters.since(mark);
    expect(made).toEqual({ buffers: 0, bindGroups: 0, pipelines: 0, writes: 0, reads: 0 });
    expect(submits).toBe(2);
    vi.useRealTimers();
    const losses = [...first, ...(await step.read())].map(({ loss }) => loss);
    const own = stepOf(cpu, 8, "f64");
    const given = batchOf(cpu, 10, 8, "f64");
    for (let i = 0; i < 12; i++) await own(given);
    const wanted = (await own.read()).map(({ loss }) => loss);
    expect(wanted.at(-1)).toBeLessThan(wanted[0]);
    for (const [i, loss] of losses.entries()) {
      expect(Math.abs(loss - wanted[i])).toBeLessThan(1e-3 * wanted[i]);
    }
  });
});
