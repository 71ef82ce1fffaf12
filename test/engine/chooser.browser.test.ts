import { expect, test, vi } from "vitest";
import { cpuModule } from "../../src/devices/on-demand.ts";
import { describeAdapter, findAdapter, findGpu } from "../../src/devices/webgpu/adapter.ts";
import { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import { Chooser } from "../../src/engine/chooser.ts";
import type { Journal } from "../../src/engine/journal.ts";
import type { Session } from "../../src/engine/session.ts";
import { add, evaluate, init, mul, State, setDefaultDevice, tensor } from "../../src/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { PATIENT } from "../support/patient.ts";
import { smallRun } from "../support/small-run.ts";

/** A training step of a small net, always the same, on the default device. */
function begin() {
  const { loader, ...run } = smallRun(0.01);
  const step = trainStep({ ...run, batchAt: loader.batchAt });
  return { step, losses: async () => (await step.read()).map(({ loss }) => loss) };
}

test("auto measures unless a run is to be reproducible, and its reason tells of that", async () => {
  const info = { vendor: "acme" };
  const real = vi.spyOn(GPUAdapter.prototype, "info", "get").mockReturnValue(info as never);
  for (const [options, isMeasured] of [
    [{}, true],
    [{ reproducible: false }, true],
    [{ reproducible: true }, false],
    [{ device: "webgpu" }, false],
  ] as const) {
    const choice = await init({ device: "auto", ...options, isolated: true });
    const device = choice.device as GpuDevice;
    const reason = options.device ? "asked for" : "a GPU was found (acme)";
    expect([device.kind, choice.reason]).toEqual(["webgpu", reason]);
    expect(device.holders !== null).toBe(isMeasured);
    await cpuModule.get();
    await vi.waitFor(() => expect(device.journal).not.toBeNull(), PATIENT);
    expect(device.journal?.chooser !== null).toBe(isMeasured);
    device.chosen = "chosen by time: this one";
    expect(choice.reason).toBe("chosen by time: this one");
    device.dispose();
  }
  real.mockRestore();
});

/** Has each run of a compiled function move a clock. */
function timed(session: Session, clock: { now: number }, milliseconds: number): Session {
  const compile = session.compile.bind(session);
  session.compile = (program, options) => {
    const plan = compile(program, options);
    const run = plan.run.bind(plan);
    plan.run = (sources) => {
      if (options.repeated) clock.now += milliseconds;
      return run(sources);
    };
    return plan;
  };
  return session;
}

test("a small net leaves a GPU that takes longer, with all that is there, and comes back", async () => {
  const adapter = (await findAdapter(await findGpu())) as GPUAdapter;
  const description = await describeAdapter(adapter);
  const device = await GpuDevice.create(adapter, description, {
    timeout: 20_000,
    isMeasured: true,
  });
  const uncaptured: string[] = [];
  device.device.addEventListener("uncapturederror", (e) => uncaptured.push(e.error.message));
  await cpuModule.get();
  await vi.waitFor(() => expect(device.journal?.chooser).toBeInstanceOf(Chooser), PATIENT);
  const journal = device.journal as Journal;
  const { open } = journal.chooser as Chooser;
  (await open()).dispose(); // so that its script is there: the steps below do not wait for it
  const clock = { now: 0 };
  const gpu = timed(device.session, clock, 2);
  journal.chooser = new Chooser(device, {
    open: async () => timed(await open(), clock, 0.1),
    now: () => clock.now,
  });
  setDefaultDevice(device);
  const kept = add(mul(tensor([1, 2]), 3), new State(tensor([5, 6])));
  evaluate(kept);

  const { step, losses } = begin();
  while (device.kind === "webgpu" && step.next < 400) await step();
  expect([device.kind, device.description]).toEqual(["cpu", expect.stringMatching(/WebAssembly/)]);
  expect(device.chosen).toMatch(/^chosen by time: WebAssembly/);
  expect(journal.isOn).toBe(false);
  expect(await kept.toArray()).toEqual([8, 12]);
  for (let i = 0; i < 5; i++) await step();
  gpu.trim?.();
  expect(gpu.usage()).toMatchObject({ buffers: 0, bytes: 0 });

  const other = begin();
  await other.step();
  expect([device.kind, journal.isOn]).toEqual(["webgpu", true]);
  for (let i = 0; i < 5; i++) await step();
  expect(await kept.toArray()).toEqual([8, 12]);
  const [count, found] = [step.next, await losses()];
  step.dispose();
  other.step.dispose();
  device.dispose();
  expect(uncaptured).toEqual([]);

  setDefaultDevice((await init({ device: "cpu", isolated: true })).device);
  const same = begin();
  while (same.step.next < count) await same.step();
  const straight = await same.losses();
  expect(found.length).toBe(straight.length);
  for (const [i, loss] of found.entries()) expect(loss).toBeCloseTo(straight[i], 4);
  setDefaultDevice(null);
}, 60_000);
