import { afterEach, describe, expect, test, vi } from "vitest";
import type { GpuDevice } from "../../../src/devices/webgpu/gpu-device.ts";
import { init, setDefaultDevice, tensor } from "../../../src/index.ts";
import { crossEntropy } from "../../../src/losses/index.ts";
import { Linear, Sequential, Sigmoid } from "../../../src/nn/index.ts";
import { SGD } from "../../../src/optim/index.ts";
import { trainStep } from "../../../src/train/index.ts";
import { PATIENT } from "../../support/patient.ts";
import { uniform } from "../../support/reference.ts";

const devices: GpuDevice[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const device of devices.splice(0)) device.dispose();
});

/** A step of a network on a device of its own. */
async function made(tune?: "off", reproducible = false) {
  const { device } = await init({ device: "webgpu", isolated: true, tune, reproducible });
  devices.push(device as GpuDevice);
  setDefaultDevice(device);
  const model = new Sequential(
    new Linear(21, 13, { seed: 1 }),
    new Sigmoid(),
    new Linear(13, 5, { seed: 2 }),
  );
  const batch = {
    x: tensor(uniform(18 * 21, 3), { shape: [18, 21] }),
    labels: tensor(Int32Array.from({ length: 18 }, (_, i) => i % 5)),
  };
  const optimizer = new SGD(model.parameters(), { learningRate: 0.3 });
  const step = trainStep({
    model,
    optimizer,
    loss: (net, { x, labels }: typeof batch) => crossEntropy(net.call(x), labels),
  });
  const bits = async () =>
    Promise.all([...model.state().values()].map(async (state) => [...(await state.data())]));
  return { device: device as GpuDevice, step: () => step(batch), whole: step, batch, bits };
}

const never = () => false;

/**
 * Notes the code of each pipeline that is compiled, but for a device `but`; `fail` makes those that it is true of
 * no WGSL, and `miss` has them fail for a reason of the browser's.
 */
function codes(
  fail: (code: string) => boolean = never,
  miss: (code: string) => boolean = never,
  but?: GPUDevice,
): string[] {
  const found: string[] = [];
  const modules = new WeakMap<GPUShaderModule, string>();
  const { prototype } = GPUDevice;
  const { createShaderModule, createComputePipelineAsync } = prototype;
  vi.spyOn(prototype, "createShaderModule").mockImplementation(function (this: GPUDevice, given) {
    const code = fail(given.code) ? "this is no WGSL" : given.code;
    const module = createShaderModule.call(this, { ...given, code });
    modules.set(module, given.code);
    return module;
  });
  vi.spyOn(prototype, "createComputePipelineAsync").mockImplementation(function (
    this: GPUDevice,
    given,
  ) {
    const code = modules.get(given.compute.module) as string;
    if (this !== but) found.push(code);
    if (miss(code)) return Promise.reject(new Error("the compiler was killed"));
    return createComputePipelineAsync.call(this, given);
  });
  return found;
}

/** What only the code of better kernels has. */
const isBetter = (code: string) => /fn dot4|s3 = combine/.test(code);

describe("a step on an adapter that a CPU emulates", () => {
  test("begins with plain kernels, goes on with better ones, and gives the same bits", async () => {
    const compiled = codes();
    const own = await made();
    await own.step();
    const plain = compiled.length;
    expect(compiled.filter(isBetter)).toEqual([]);
    // Nor do they make the rows of others, which takes longer to compile.
    const makesRows = (code: string) => code.includes("product_at");
    expect(compiled.filter(makesRows)).toEqual([]);
    await own.whole.profile(own.batch); // one step more, of better kernels
    expect(compiled.slice(plain).filter(isBetter).length).toBeGreaterThan(2);
    expect(compiled.slice(plain).filter(makesRows)).toHaveLength(1);
    const { pipelines } = own.device.memory();
    for (let i = 0; i < 3; i++) await own.step();
    const other = await made("off");
    for (let i = 0; i < 5; i++) await other.step();
    expect(other.device.memory().pipelines).toBe(pipelines);
    expect(await own.bits()).toEqual(await other.bits());
    const losses = async ({ whole }: typeof own) => (await whole.read()).map(({ loss }) => loss);
    expect(await losses(own)).toEqual(await losses(other));
  });

  test("keeps the kernels that it begins with where the bits must be the same each time", async () => {
    const compiled = codes();
    const own = await made(undefined, true);
    await own.step();
    expect(compiled.filter(isBetter).length).toBeGreaterThan(2);
    const { length } = compiled;
    await own.whole.profile(own.batch);
    await own.step();
    expect(compiled.length).toBe(length);
  });

  test("counts what better kernels do", async () => {
    const [own, other] = [await made(), await made("off")];
    const [a, b] = await Promise.all([own, other].map(({ whole, batch }) => whole.prepare(batch)));
    const told = async (plan: typeof a) => {
      const { kernels, ...rest } = await plan.stats();
      return { ...rest, kernels: kernels.map(({ code, ...kernel }) => kernel) };
    };
    expect(await told(a)).toEqual(await told(b));
  });

  test("stays with plain kernels where others cannot be compiled, and says so once", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    codes(isBetter);
    const own = await made();
    for (let i = 0; i < 2; i++) await own.step();
    await own.whole.profile(own.batch);
    for (let i = 0; i < 2; i++) await own.step();
    const bits = await own.bits();
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0][0]).toMatch(/^gradus: kernels stay as plain as they were/);
    vi.restoreAllMocks();
    const other = await made("off");
    for (let i = 0; i < 5; i++) await other.step();
    expect(bits).toEqual(await other.bits());
  });

  test("tries again after a pause where others cannot be compiled for a reason that may pass", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    let isBroken = true;
    const compiled = codes(never, (code) => isBroken && isBetter(code));
    const own = await made();
    await own.step();
    const { pipelines } = own.device.memory();
    await own.whole.profile(own.batch);
    const tried = compiled.filter(isBetter).length;
    expect(tried).toBeGreaterThan(2);
    expect(own.device.memory().pipelines).toBe(pipelines);
    isBroken = false;
    await own.whole.profile(own.batch); // a pause
    expect(compiled.filter(isBetter).length).toBe(tried);
    const { now } = performance;
    vi.spyOn(performance, "now").mockImplementation(() => now.call(performance) + 600_000);
    await own.whole.profile(own.batch);
    expect(compiled.filter(isBetter).length).toBe(2 * tried);
    await own.step();
    const other = await made("off");
    for (let i = 0; i < 5; i++) await other.step();
    expect(own.device.memory().pipelines).toBe(other.device.memory().pipelines);
    expect(await own.bits()).toEqual(await other.bits());
    expect(warn).not.toHaveBeenCalled();
  });

  test("says nothing when its device is disposed meanwhile", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const own = await made();
    const compiled = codes();
    await own.step();
    await vi.waitFor(() => expect(compiled.some(isBetter)).toBe(true), PATIENT);
    own.device.dispose();
    await (await made("off")).step(); // takes as long as compiling
    expect(warn).not.toHaveBeenCalled();
  });

  test("may be disposed while better kernels are compiled", async () => {
    const [early, late] = [await made(), await made()];
    const count = ({ device }: typeof early) => device.memory().pipelines;
    const [before] = [early, late].map(count);
    await early.step();
    early.whole.dispose();
    await late.step();
    const plain = count(late);
    await vi.waitFor(() => expect(count(late)).toBeGreaterThan(plain), PATIENT);
    late.whole.dispose();
    for (const one of [early, late]) {
      await vi.waitFor(() => expect(count(one)).toBeLessThanOrEqual(before), PATIENT);
    }
  });

  test("goes on with the same bits when the GPU is lost meanwhile", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const own = await made();
    await vi.waitFor(() => expect(own.device.journal).not.toBeNull(), PATIENT);
    await own.step();
    const lost = own.device.device;
    const compiled = codes(never, never, lost);
    lost.destroy();
    for (let i = 0; i < 2; i++) await own.step();
    await own.whole.profile(own.batch);
    expect(compiled.filter(isBetter).length).toBeGreaterThan(2);
    await own.step();
    expect(warn.mock.calls.filter(([text]) => /plain/.test(text))).toEqual([]);
    const other = await made("off");
    for (let i = 0; i < 5; i++) await other.step();
    expect(await own.bits()).toEqual(await other.bits());
  });
});
