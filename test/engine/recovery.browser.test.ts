import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import type { DeviceNews } from "../../src/graph/device.ts";
import {
  compile,
  type Device,
  init,
  mul,
  State,
  setDefaultDevice,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { Checkpoint, EarlyStopping } from "../../src/train/index.ts";
import { memoryStore, type Options, outcome } from "../support/fit-outcome.ts";
import { PATIENT } from "../support/patient.ts";
import { smallRun } from "../support/small-run.ts";

let device: GpuDevice;
const news: DeviceNews[] = [];
beforeAll(async () => {
  device = (await init({ device: "webgpu", isolated: true })).device as GpuDevice;
  setDefaultDevice(device);
  device.listeners.add((one) => void news.push(one));
  await vi.waitFor(() => expect(device.journal).not.toBeNull(), PATIENT);
});
afterAll(() => device.dispose());

/** Destroys the GPUDevice as soon as something is asked of it the n-th time, from 0. */
function destroyAt(method: keyof GPUDevice | "mapAsync", n: number): () => void {
  let count = 0;
  const target = method === "mapAsync" ? GPUBuffer.prototype : GPUDevice.prototype;
  const real = Reflect.get(target, method) as (...args: unknown[]) => unknown;
  Reflect.set(target, method, function (this: unknown, ...args: unknown[]) {
    const result = real.apply(this, args);
    if (count++ === n) device.device.destroy();
    return result;
  });
  return () => void Reflect.set(target, method, real);
}

describe("fit comes to the same bits and reports on a GPU that is destroyed", () => {
  const options = (): Options => ({
    metricsEvery: 2,
    mirrorEvery: 3,
    callbacks: [
      new EarlyStopping({ patience: 5, restoreBest: true }),
      new Checkpoint({ to: memoryStore(), every: { steps: 3 } }),
    ],
  });
  type Places = readonly (readonly [keyof GPUDevice | "mapAsync", number])[];
  const runs: [string, () => ReturnType<typeof smallRun>, Places][] = [
    [
      "batches of its own",
      () => smallRun(),
      [
        ["createCommandEncoder", 9],
        ["mapAsync", 2],
      ],
    ],
    [
      "given batches",
      () => smallRun(0.05, 6),
      [
        ["mapAsync", 7],
        ["createComputePipelineAsync", 0],
      ],
    ],
  ];
  for (const [name, make, places] of runs) {
    test(name, async () => {
      const straight = await outcome(make, options());
      expect(news).toEqual([]);
      for (const [method, n] of places) {
        const restore = destroyAt(method, n);
        const again = await outcome(make, options());
        restore();
        while (device.recovering) await device.recovering;
        expect(again, `${method} ${n}`).toEqual(straight);
        for (const one of news.splice(0)) {
          if (one.event !== "recovered") continue;
          expect(one).toMatchObject({ kind: "webgpu", dropped: 0 });
          expect(one.repeated).toBeLessThanOrEqual(3);
        }
      }
    }, 120_000);
  }
});

test("the device, its states and what was made on it stay the same objects", async () => {
  const before: Device = device;
  const x = tensor([1, 2, 3]);
  const y = mul(x, 2);
  device.device.destroy();
  expect(await y.toArray()).toEqual([2, 4, 6]);
  expect(y.device).toBe(before);
  expect(device.kind).toBe("webgpu");
});

test("what a recovery takes beside the states is freed with it", async () => {
  const own = (await init({ device: "webgpu", isolated: true })).device as GpuDevice;
  const states = Array.from({ length: 20 }, (_, i) => {
    const state = new State(tensor([i, 1, 2], { device: own }), { name: `s${i}` });
    state.assign(mul(state, 2));
    return state;
  });
  const x = tensor([1], { device: own });
  const step = compile((x: Tensor) => void states.map((state) => state.assign(mul(state, x))), {
    mirrorEvery: 1000,
  });
  for (let i = 0; i < 3; i++) await step(x);
  // What comes from the host is had again as a copy of what stands for it.
  for (const state of states) state.assign(tensor([6, 2, 4], { device: own }));
  await step(x);
  expect(await states[3].toArray()).toEqual([6, 2, 4]);
  const { buffers, bytes } = own.memory();
  own.device.destroy();
  expect(await states[3].toArray()).toEqual([6, 2, 4]);
  const after = own.memory();
  expect(after.buffers).toBeLessThanOrEqual(buffers);
  expect(after.bytes).toBeLessThanOrEqual(bytes);
  own.dispose();
});
