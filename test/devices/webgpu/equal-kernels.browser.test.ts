import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { GpuDevice } from "../../../src/devices/webgpu/gpu-device.ts";
import { settle } from "../../../src/devices/webgpu/numbers.ts";
import { PipelineCache } from "../../../src/devices/webgpu/pipelines.ts";
import {
  add,
  arange,
  compile,
  type Device,
  init,
  mul,
  State,
  scan,
  setDefaultDevice,
  slice,
  type Tensor,
  tensor,
  uniformAt,
} from "../../../src/index.ts";
import { SGD } from "../../../src/optim/index.ts";
import { trainStep } from "../../../src/train/index.ts";
import { ownDevice } from "../../support/device.ts";
import { type Repeated, recurrent } from "../../support/repeated-graphs.ts";

let device: GpuDevice;
beforeAll(async () => {
  device = (await ownDevice()) as GpuDevice;
});
afterAll(() => device.dispose());
afterEach(() => {
  vi.restoreAllMocks();
});

/** Writes every number as a literal, as if no two kernels had anything in common. */
function writeLiterals(): void {
  vi.spyOn(PipelineCache.prototype, "settle").mockImplementation((kernels) =>
    kernels.flatMap((kernel) => settle([kernel], new Map())),
  );
}

/** Trains some steps; gives the bits of losses and weights, and the pipelines that it took. */
async function trained({ model, batch, loss }: Repeated, device: Device) {
  const { pipelines: before } = device.memory();
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
  const step = trainStep({ model, optimizer, loss: (_, given: typeof batch) => loss(given) });
  for (let i = 0; i < 3; i++) await step(batch);
  const losses = (await step.read()).map((record) => record.loss);
  const weights = await Promise.all([...model.state().values()].map((state) => state.data()));
  const pipelines = device.memory().pipelines - before;
  step.dispose();
  return { bits: [losses, ...weights.map((w) => Array.from(w as Float32Array))], pipelines };
}

test("time steps share pipelines, and give the bits that code with literals gives", async () => {
  const shared = await trained(recurrent(6), device);
  writeLiterals();
  const literal = await trained(recurrent(6), device);
  expect(shared.bits).toEqual(literal.bits);
  const { device: cpu } = await init({ device: "cpu", engine: "plain", isolated: true });
  setDefaultDevice(cpu);
  const { bits } = await trained(recurrent(6), cpu);
  setDefaultDevice(device);
  for (const [i, x] of bits.flat().entries()) expect(shared.bits.flat()[i]).toBeCloseTo(x, 5);
  expect(shared.pipelines).toBeLessThan(literal.pipelines);
});

test("what kernels read numbers from is counted, kept by a step and freed with it", async () => {
  const { model, batch, loss } = recurrent(6);
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
  const step = trainStep({
    model,
    optimizer,
    loss: (_, given: typeof batch) => loss(given),
    mirrorEvery: null,
  });
  await step(batch);
  await step.read();
  const own = vi.spyOn(device.device, "createBuffer");
  const held = device.memory();
  const mark = device.counters.now;
  for (let i = 0; i < 10; i++) await step(batch);
  const { buffers, bindGroups, pipelines, writes } = device.counters.since(mark);
  expect({ buffers, bindGroups, pipelines, writes }).toEqual({
    buffers: 0,
    bindGroups: 0,
    pipelines: 0,
    writes: 0,
  });
  expect(own).not.toHaveBeenCalled();
  step.plans[0].dispose();
  const { buffers: fewer, bytes } = device.memory();
  expect(fewer).toBe(held.buffers - 1);
  expect(held.bytes - bytes).toBeLessThanOrEqual(12 * 256);
  await step(batch); // it makes anew what it needs
  expect(device.memory()).toMatchObject({ buffers: held.buffers, bytes: held.bytes });
  step.dispose();
});

test("a pass is set to a pipeline where that changes, whichever step a kernel is of", async () => {
  const rows = tensor(Array.from({ length: 12 }, (_, i) => [i, -i]));
  const [total, half] = [new State(tensor([0, 0])), new State(tensor([1024, 512]))];
  // One kernel, dispatched for each row; and one, for each step that shares a submit.
  const sums = compile((xs: Tensor) => {
    const [last] = scan((sum, x) => [add(sum, x), null], total, xs);
    total.assign(last);
  });
  const halve = compile(() => half.assign(mul(half, 0.5)), { stepsPerSubmit: 8 });
  await sums(rows);
  for (let i = 0; i < 8; i++) await halve();
  await half.data();
  const set = vi.spyOn(GPUComputePassEncoder.prototype, "setPipeline");
  const dispatch = vi.spyOn(GPUComputePassEncoder.prototype, "dispatchWorkgroups");
  await sums(rows);
  await total.data();
  const [looped, turns] = [set.mock.calls.length, dispatch.mock.calls.length];
  const changes = set.mock.calls.filter(([one], i) => one !== set.mock.calls[i - 1]?.[0]);
  expect(changes).toHaveLength(looped);
  expect(turns).toBeGreaterThanOrEqual(12);
  expect(looped).toBeLessThanOrEqual(turns - 11);
  set.mockClear();
  dispatch.mockClear();
  const passes = vi.spyOn(GPUCommandEncoder.prototype, "beginComputePass");
  await Promise.all(Array.from({ length: 8 }, () => halve()));
  await half.data();
  expect(dispatch).toHaveBeenCalledTimes(8);
  expect(set.mock.calls.length).toBe(passes.mock.calls.length);
  expect(set.mock.calls.length).toBeLessThan(8);
  expect(await total.toArray()).toEqual([132, -132]);
  expect(await half.toArray()).toEqual([1024 / 2 ** 16, 512 / 2 ** 16]);
});

test("evaluations that differ by integers, as by where they read, share a pipeline from the second on", async () => {
  const x = mul(arange(24), 0.1);
  await x.data();
  const part = (start: number): Tensor => mul(slice(x, [{ start, end: start + 5 }]), 0.3);
  const values = await x.data();
  const { pipelines } = device.memory();
  for (const start of [1, 4, 7, 10, 13, 16]) {
    using y = part(start);
    const want = Array.from({ length: 5 }, (_, k) =>
      Math.fround(values[start + k] * Math.fround(0.3)),
    );
    expect(await y.toArray()).toEqual(want);
  }
  expect(device.memory().pipelines).toBeLessThanOrEqual(pipelines + 2);
  const whole = tensor([7, -8, 9, 10], { dtype: "i32" });
  for (const by of [2, -3, 5]) {
    using y = mul(whole, by);
    expect(await y.toArray()).toEqual([7 * by, -8 * by, 9 * by, 10 * by]);
  }
  const { device: cpu } = await init({ device: "cpu", engine: "plain", isolated: true });
  for (const seed of [1, 2, 3]) {
    const drawn = [device, cpu].map((device) =>
      uniformAt(tensor(4, { dtype: "u32", device }), [5], { seed, low: -2, high: 0.1 }),
    );
    expect(await drawn[0].toArray()).toEqual(await drawn[1].toArray());
  }
  expect(device.memory().pipelines).toBeLessThanOrEqual(pipelines + 6);
});
