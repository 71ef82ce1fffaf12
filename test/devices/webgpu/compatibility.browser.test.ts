import { beforeAll, expect, test } from "vitest";
import { describeAdapter, findAdapter, TIMEOUT } from "../../../src/devices/webgpu/adapter.ts";
import { GpuDevice } from "../../../src/devices/webgpu/gpu-device.ts";
import type { GpuSession } from "../../../src/devices/webgpu/session.ts";
import {
  add,
  argmax,
  cumSum,
  type Device,
  init,
  matmul,
  moments,
  softmax,
  sort,
  sum,
  type Tensor,
  tensor,
} from "../../../src/index.ts";
import { byRule } from "../../../src/kernels/choose.ts";
import { moreTiles } from "../../../src/kernels/matmul.ts";
import { expectWithin } from "../../support/close.ts";
import { uniform } from "../../support/reference.ts";

let adapter: GPUAdapter;
let cpu: Device;
beforeAll(async () => {
  cpu = (await init({ device: "cpu", isolated: true })).device;
  await moreTiles.get();
});

test("an adapter of the compatibility mode is taken where there is no other", async () => {
  const asked: (string | undefined)[] = [];
  const gpu = {
    requestAdapter: (options?: GPURequestAdapterOptions) => {
      asked.push(options?.featureLevel);
      return options?.featureLevel ? navigator.gpu.requestAdapter(options) : Promise.resolve(null);
    },
  };
  adapter = (await findAdapter(gpu as GPU)) as GPUAdapter;
  expect(adapter).not.toBeNull();
  expect(asked).toEqual([undefined, "compatibility"]);
});

test("what runs there has no more than 128 invocations in a workgroup", async () => {
  const calls: Record<string, (x: Tensor) => Tensor> = {
    add: (x) => add(x, 1),
    sum: (x) => sum(x, { axis: 1 }),
    argmax: (x) => argmax(x, { axis: 1 }),
    softmax: (x) => softmax(x),
    variance: (x) => moments(x, { axis: 1 }).variance,
    cumSum: (x) => cumSum(x),
    sort: (x) => sort(x).values,
    matmul: (x) => matmul(x, x.transpose()),
  };
  const description = await describeAdapter(adapter);
  const device = await GpuDevice.create(adapter, description, {
    kernels: "workgroup",
    timeout: TIMEOUT,
  });
  const session = device.session as GpuSession;
  const choose = byRule({ ...session.traits, invocations: 128 });
  const threads: number[] = [];
  session.choose = (family, problem) => {
    const choice = choose(family, problem);
    threads.push(choice.candidate.WORKGROUP);
    return choice;
  };
  const values = uniform(90 * 3000, 3, -1, 1);
  const given = (own: Device) => tensor(values, { shape: [90, 3000], device: own });
  for (const [name, call] of Object.entries(calls)) {
    const wanted = await call(given(cpu)).data();
    const scale = ["cumSum", "sum", "matmul"].includes(name) ? 100 : 1;
    const tolerance = (y: number) => scale * (1e-5 + 1e-5 * Math.abs(y));
    expectWithin(await call(given(device)).data(), wanted, tolerance);
  }
  expect(Math.max(...threads)).toBe(128);
  device.dispose();
});
