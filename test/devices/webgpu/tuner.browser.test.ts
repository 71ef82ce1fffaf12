import { afterEach, expect, test, vi } from "vitest";
import { GradusError } from "../../../src/core/errors.ts";
import { tools } from "../../../src/core/tools.ts";
import { fileCache } from "../../../src/datasets/cache.ts";
import type { GpuDevice } from "../../../src/devices/webgpu/gpu-device.ts";
import type { GpuSession } from "../../../src/devices/webgpu/session.ts";
import { beginTuning } from "../../../src/devices/webgpu/tuned-plan.ts";
import { Tunings } from "../../../src/devices/webgpu/tunings.ts";
import type { Family, Kernel } from "../../../src/forms/kernel.ts";
import {
  argmax,
  scaledDotProductAttention as attention,
  compile,
  exp,
  init,
  setDefaultDevice,
  softmax,
  square,
  sum,
  type Tensor,
  tensor,
} from "../../../src/index.ts";
import { argReduce } from "../../../src/kernels/arg-reduce.ts";
import { choiceName, choicesFor, problemName } from "../../../src/kernels/candidates.ts";
import { byRule } from "../../../src/kernels/choose.ts";
import { products } from "../../../src/kernels/matmul.ts";
import { reduce } from "../../../src/kernels/reduce.ts";
import { softmaxRows } from "../../../src/kernels/softmax.ts";
import { entryFile } from "../../../src/kernels/stage.ts";
import { laneKernels } from "../../../src/kernels/subgroup-rows.ts";
import { ShareOfRuns } from "../../../src/kernels/tuning.ts";
import { meanSquaredError } from "../../../src/losses/index.ts";
import { Linear } from "../../../src/nn/index.ts";
import { SGD } from "../../../src/optim/index.ts";
import { trainStep } from "../../../src/train/index.ts";
import { exportTuning, importTuning } from "../../../src/webgpu/index.ts";
import { PATIENT } from "../../support/patient.ts";
import { uniform } from "../../support/reference.ts";

const devices: GpuDevice[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const device of devices.splice(0)) device.dispose();
});

/** A step of a layer, whose products are of so many rows, on a device of its own. */
async function made(tune: "now" | "off", rows = 18) {
  const { device } = await init({ device: "webgpu", isolated: true, tune });
  devices.push(device as GpuDevice);
  setDefaultDevice(device);
  const model = new Linear(21, 13, { seed: 1 });
  const batch = {
    x: tensor(uniform(rows * 21, 3), { shape: [rows, 21] }),
    y: tensor(uniform(rows * 13, 4), { shape: [rows, 13] }),
  };
  const step = trainStep({
    model,
    optimizer: new SGD(model.parameters(), { learningRate: 0.3 }),
    loss: (net, { x, y }: typeof batch) => meanSquaredError(net.call(x), y),
  });
  const bits = async () =>
    Promise.all([...model.state().values()].map(async (state) => [...(await state.data())]));
  const prepared = async () => step.prepare(batch);
  let plan: ReturnType<typeof prepared> | undefined;
  const codes = async () => {
    plan ??= prepared();
    const { kernels } = await (await plan).stats();
    return Promise.all(kernels.map(({ code }) => code?.()));
  };
  const { session } = device as GpuDevice;
  return { device: device as GpuDevice, session, step: () => step(batch), batch, bits, codes };
}

type Made = Awaited<ReturnType<typeof made>>;

/** The bits that untuned kernels give after so many steps. */
async function expected(steps: number, rows = 18) {
  const other = await made("off", rows);
  for (let i = 0; i < steps; i++) await other.step();
  return other.bits();
}

/** What the layer multiplies: its values, and the gradient of its weight. */
function problems(rows: number) {
  const base = { dtype: "f32", BATCH: 1 } as const;
  return [
    { ...base, M: rows, K: 21, N: 13 },
    { ...base, M: 21, K: rows, N: 13 },
  ];
}

/** Which other choices a device has for these problems, and for what follows the products element by element. */
function rivals({ session }: Made, rows: number) {
  const { traits } = session as GpuSession;
  const options = { choose: byRule(traits), reproducible: true };
  return Object.fromEntries(
    problems(rows).map((problem) => {
      const choices = choicesFor(products, problem, traits, options).map(choiceName);
      return [problemName(products, problem), choices];
    }),
  );
}

/** What is known of a problem as a part of the layer's step, which is named by it and what is fused into it. */
function knownOf(choices: Readonly<Record<string, string>>, problem: string): [string, string] {
  const found = Object.entries(choices).filter(([part]) => part.startsWith(`${problem}: `));
  expect(found.length).toBe(1);
  return found[0];
}

/** What is known of the machine at hand. */
async function known({ device }: Made) {
  const { version, machines } = await exportTuning();
  const found = Object.entries(machines).filter(([name]) => name.startsWith(device.description));
  expect(found.length).toBe(1);
  const [[machine, choices]] = found;
  return { version, machine, choices };
}

test("what a plan computes is timed when it is prepared, and kept", async () => {
  const warn = vi.spyOn(console, "warn");
  const own = await made("now");
  const choices = rivals(own, 18);
  await own.codes();
  const found = await known(own);
  for (const [problem, all] of Object.entries(choices)) {
    expect(all.length).toBeGreaterThan(4);
    const [part, choice] = knownOf(found.choices, problem);
    expect(all).toContain(choice);
    expect(part).toMatch(/: matmul\+\S+ \w+$/); // with the bias, the loss or the update in it
  }
  // So are sums, whose formulas are their ops', and pointwise kernels.
  for (const family of [/^reduce/, /^elementwise/]) {
    expect(Object.keys(found.choices).some((part) => family.test(part))).toBe(true);
  }
  const other = await made("off");
  await other.codes();
  const { pipelines } = other.device.memory(); // two products may share one
  expect(Math.abs(own.device.memory().pipelines - pipelines)).toBeLessThanOrEqual(1);
  setDefaultDevice(own.device);
  const compile = vi.spyOn(GPUDevice.prototype, "createShaderModule");
  for (let i = 0; i < 3; i++) await own.step();
  expect(compile).not.toHaveBeenCalled(); // all is known, and ready
  expect(await own.bits()).toEqual(await expected(3));
  expect(warn).not.toHaveBeenCalled();

  const kept = new Tunings(() => fileCache("gradus-tuning"));
  await kept.read();
  expect(kept.data.machines[found.machine]).toEqual(found.choices);
});

test("ops of formulas of their own are timed too, and give the same bits", async () => {
  const warn = vi.spyOn(console, "warn");
  const values = async (tune: "now" | "off") => {
    const { device } = await init({ device: "webgpu", isolated: true, tune });
    devices.push(device as GpuDevice);
    const [q, k, v] = [5, 6, 7].map((seed) =>
      tensor(uniform(2 * 70 * 8, seed), { shape: [2, 70, 8], device }),
    );
    const weigh = compile((q: Tensor, k: Tensor, v: Tensor) => {
      const y = attention(q, k, v);
      return [y, softmax(y), argmax(y, { axis: 2 })];
    });
    return Promise.all((await weigh(q, k, v)).map(async (y) => [...(await y.data())]));
  };
  const tuned = await values("now");
  const { machines } = await exportTuning();
  const parts = Object.values(machines).flatMap((known) => Object.keys(known));
  for (const family of [/\+attention f32 BATCH=2/, /softmax f32 LENGTH=8/, /arg-reduce f32/]) {
    expect(parts).toContainEqual(expect.stringMatching(family));
  }
  expect(tuned).toEqual(await values("off"));
  expect(warn).not.toHaveBeenCalled();
});

test("trees that end by subgroups are timed where there are subgroups", async () => {
  const warn = vi.spyOn(console, "warn");
  const values = async (tune: "now" | "off") => {
    const options = { device: "webgpu", isolated: true, kernels: "workgroup", tune } as const;
    const { device } = await init(options);
    devices.push(device as GpuDevice);
    const x = tensor(uniform(4 * 100, 5), { shape: [4, 100], device });
    const share = compile((x: Tensor) => [softmax(x), sum(exp(x), { axis: 1 })]);
    // Several sums in one kernel have structures, which subgroups do not hand on.
    const both = compile((x: Tensor) => [sum(x, { axis: 1 }), sum(square(x), { axis: 1 })]);
    const results = [...(await share(x)), ...(await both(x))];
    return Promise.all(results.map(async (y) => [...(await y.data())]));
  };
  const tuned = await values("now");
  const { machines } = await exportTuning();
  const parts = Object.values(machines).flatMap((known) => Object.entries(known));
  const choicesOf = (name: RegExp) => parts.filter(([part]) => name.test(part)).map(([, y]) => y);
  const [row] = choicesOf(/softmax f32 LENGTH=100/);
  expect(row).toMatch(/^lib\/(workgroup\S* WORKGROUP=64|subgroups\S* LANES=4 WORKGROUP=64)$/);
  expect(choicesOf(/reduce f32 LENGTH=100.*exp\+sum/)).toHaveLength(1);
  expect(choicesOf(/reduce f32 LENGTH=100.*square/)).toHaveLength(0);
  expect(tuned).toEqual(await values("off"));
  expect(warn).not.toHaveBeenCalled();
});

test("rows of lanes are timed on GPUs with subgroups, and give the same bits", async () => {
  const warn = vi.spyOn(console, "warn");
  const modules = vi.spyOn(GPUDevice.prototype, "createShaderModule");
  const hasLanes = () => modules.mock.calls.some(([{ code }]) => code.includes("fn place_of"));
  const values = async (tune: "now" | "off") => {
    const { device } = await init({ device: "webgpu", isolated: true, tune });
    devices.push(device as GpuDevice);
    const session = (device as GpuDevice).session as GpuSession;
    Object.assign(session, { traits: { ...session.traits, quads: false } }); // as if it were one
    const x = tensor(uniform(70 * 21, 5), { shape: [70, 21], device });
    const reduced = compile((x: Tensor) => [
      ...[softmax(x), argmax(x, { axis: 1 })],
      ...[sum(exp(x), { axis: 1 }), sum(square(x), { axis: 1 })],
    ]);
    modules.mockClear();
    const results = await reduced(x);
    return Promise.all(results.map(async (y) => [...(await y.data())]));
  };
  const untuned = await values("off");
  expect(hasLanes()).toBe(false);
  expect(await values("now")).toEqual(untuned);
  expect(hasLanes()).toBe(true);
  // Where they are the fastest, plans take them: of several sums in one kernel too.
  const { version, machines } = await exportTuning();
  const lanes = [softmaxRows, argReduce, reduce].flatMap((family) =>
    laneKernels(family as Family, 4, family === reduce ? 2 : 1),
  );
  const fastest = (part: string) => {
    const kernel = lanes.find(({ files }) => {
      const entry = entryFile({ files }).replace(/^shaders\/|-(lanes|quads).wgsl$/g, "");
      return part.split(" ")[0].endsWith(entry) && !files.some(({ name }) => /tree/.test(name));
    }) as Kernel;
    return choiceName({ kernel, candidate: kernel.candidates[0] });
  };
  const rows = /^\S*(softmax|arg-reduce|reduce) f32 LENGTH=21/;
  const choices = Object.entries(machines).map(([machine, known]) => {
    const parts = Object.keys(known).filter((part) => rows.test(part));
    return [machine, Object.fromEntries(parts.map((part) => [part, fastest(part)]))];
  });
  await importTuning({ version, machines: Object.fromEntries(choices) });
  expect(await values("now")).toEqual(untuned);
  const codes = modules.mock.calls.map(([{ code }]) => code).join("\n");
  for (const own of ["quadBroadcast", "index = select(index, place_of_other", "x.v1, mask"]) {
    expect(codes).toContain(own);
  }
  expect(warn).not.toHaveBeenCalled();
});

test("what is imported takes the place of other kernels between two runs, to the same bits", async () => {
  const own = await made("now");
  await own.step();
  const { version, machine, choices: tuned } = await known(own);
  const untuned = await (await made("off")).codes();
  for (const place of [3, 5]) {
    const before = await own.codes();
    const choices = Object.entries(rivals(own, 18)).map(([problem, all]) => {
      return [knownOf(tuned, problem)[0], all[place]];
    });
    await importTuning({ version, machines: { [machine]: Object.fromEntries(choices) } });
    await own.step();
    await vi.waitFor(async () => expect(await own.codes()).not.toEqual(before), PATIENT);
    expect(await own.codes()).not.toEqual(untuned);
  }
  await own.step();
  expect(await own.bits()).toEqual(await expected(4));

  const next = await made("now"); // a second visit
  expect(await next.codes()).toEqual(await own.codes());
  await next.step();
  expect(await next.bits()).toEqual(await expected(1));
});

test("between runs, problems are timed as far as the time allows", async () => {
  const own = await made("off", 24);
  beginTuning(own.device, false);
  const { ran } = ShareOfRuns.prototype;
  let now = 0;
  const counted = vi.spyOn(ShareOfRuns.prototype, "ran");
  counted.mockImplementation(function (this: ShareOfRuns) {
    now += 200; // as if each step took so long
    vi.spyOn(this as { now(): number }, "now").mockReturnValue(now);
    ran.call(this);
  });
  const names = Object.keys(rivals(own, 24));
  let steps = 0;
  const done = async () => {
    const choices = Object.values((await exportTuning()).machines);
    const parts = choices.flatMap((known) => Object.keys(known));
    return names.every((name) => parts.some((part) => part.startsWith(`${name}: `)));
  };
  for (; !(await done()) && steps < 1500; steps++) {
    await own.step();
    await own.bits(); // waits until it has run
  }
  expect(await done()).toBe(true);
  expect(steps).toBeGreaterThan(10); // nothing is measured that is not paid for
  for (let i = 0; i < 2; i++) await own.step();
  expect(await own.bits()).toEqual(await expected(steps + 2, 24));
});

test("candidates that fail are left out, and the console says so once", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const own = await made("now", 19);
  const choices = rivals(own, 19);
  const { createShaderModule } = GPUDevice.prototype;
  const failed = vi.spyOn(GPUDevice.prototype, "createShaderModule");
  failed.mockImplementation(function (this: GPUDevice, given) {
    const isRival = /^matmul[^|]*$/.test(given.label ?? "") && !/const ROWS = 4u/.test(given.code);
    return createShaderModule.call(this, isRival ? { ...given, code: "this is no WGSL" } : given);
  });
  const codes = await own.codes();
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0][0]).toMatch(/^gradus: kernels are tuned without one that failed, for /);
  const found = await known(own);
  for (const [problem, all] of Object.entries(choices)) {
    expect(all).toContain(knownOf(found.choices, problem)[1]);
  }
  failed.mockRestore();
  expect(codes.length).toBeGreaterThan(0);
  for (let i = 0; i < 2; i++) await own.step();
  expect(await own.bits()).toEqual(await expected(2, 19));
});

test("what fails for a reason that may pass is tried again after a pause, without a word", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const own = await made("off", 20);
  const offline = new GradusError("gradus: no network; expected all of its scripts");
  vi.spyOn(tools, "get").mockRejectedValueOnce(offline);
  beginTuning(own.device, true);
  const isNamed = ({ label = "" }: GPUObjectDescriptorBase) => /^matmul[^|]*$/.test(label);
  const { createComputePipelineAsync } = GPUDevice.prototype;
  const failed = vi.spyOn(GPUDevice.prototype, "createComputePipelineAsync");
  failed.mockImplementation(function (this: GPUDevice, given) {
    if (isNamed(given)) return Promise.reject(new Error("the compiler was killed"));
    return createComputePipelineAsync.call(this, given);
  });
  const names = Object.keys(rivals(own, 20));
  const found = async () => {
    const { machines } = await exportTuning();
    const parts = Object.values(machines).flatMap((choices) => Object.keys(choices));
    return names.filter((name) => parts.some((part) => part.startsWith(`${name}: `)));
  };
  const { now } = performance;
  let later = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now.call(performance) + later);
  let steps = 0;
  const stepUntil = async (check: () => unknown) => {
    const stepped = async () => {
      steps++;
      await own.step();
      await check();
    };
    await vi.waitFor(stepped, { ...PATIENT, interval: 100 });
  };
  const tries = () => failed.mock.calls.filter(([given]) => isNamed(given));
  await stepUntil(() => {});
  later += 600_000; // the scripts are asked for again
  await stepUntil(() => expect(tries()).toHaveLength(names.length));
  failed.mockRestore();
  await stepUntil(() => {}); // a pause
  expect(await found()).toEqual([]);
  await stepUntil(async () => {
    later += 100_000_000; // more than any pause
    expect(await found()).toEqual(names);
  });
  await stepUntil(() => {});
  expect(await own.bits()).toEqual(await expected(steps, 20));
  expect(warn).not.toHaveBeenCalled();
});

test("a device may be disposed, or lost, while it is tuned", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const [early, lost] = [await made("now", 22), await made("now", 23)];
  const compiled = vi.spyOn(GPUDevice.prototype, "createComputePipelineAsync");
  await early.step();
  await vi.waitFor(() => expect(compiled).toHaveBeenCalled(), PATIENT);
  early.device.dispose();
  compiled.mockClear();
  setDefaultDevice(lost.device);
  await vi.waitFor(() => expect(lost.device.journal).not.toBeNull(), PATIENT);
  await lost.step();
  await vi.waitFor(() => expect(compiled).toHaveBeenCalled(), PATIENT);
  lost.device.device.destroy();
  for (let i = 0; i < 2; i++) await lost.step();
  expect(await lost.bits()).toEqual(await expected(3, 23));
  expect(warn.mock.calls.filter(([text]) => /tuned/.test(text))).toEqual([]);
});
