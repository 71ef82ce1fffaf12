import { beforeAll, expect, test } from "vitest";
import { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import type { ChooseInProgram } from "../../src/devices/webgpu/jobs.ts";
import type { GpuSession } from "../../src/devices/webgpu/session.ts";
import {
  add,
  exp,
  grad,
  init,
  matmul,
  mul,
  sigmoid,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "../../src/index.ts";
import { choicesOf } from "../../src/kernels/candidates.ts";
import { products } from "../../src/kernels/matmul.ts";
import { lanesOf, subgroupChoices } from "../../src/kernels/subgroup-trees.ts";
import { uniform } from "../support/reference.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = (await init({ device: "webgpu", isolated: true, tune: "off" })).device as GpuDevice;
});

/** A device whose products are the `turn`-th by subgroups, or matmul.wgsl where that is −1. */
function multiplying(turn: number, taken: Set<string>): GpuDevice {
  const device = new GpuDevice(gpu.device, gpu.adapter, { kernels: "workgroup" });
  const session = device.session as GpuSession;
  const rule = session.choose;
  const choose: ChooseInProgram = (family, problem) => {
    if ((family as unknown) !== products) return rule(family, problem);
    const all = subgroupChoices(family, lanesOf(gpu.device));
    const choice = turn < 0 ? choicesOf(family)[0] : all[turn];
    for (const { name } of choice.kernel.files) taken.add(name);
    return choice;
  };
  session.choose = choose;
  return device;
}

/** Products with all that is fused into one: producers, bias and activation, transposed and batched inputs, an update. */
async function results(device: GpuDevice): Promise<number[][]> {
  const of = (seed: number, ...shape: number[]) =>
    tensor(
      uniform(
        shape.reduce((a, b) => a * b),
        seed,
        -1,
        1,
      ),
      { shape, device },
    );
  const [x, w, bias, batches] = [of(1, 70, 37), of(2, 37, 133), of(3, 133), of(4, 3, 37, 18)];
  const layer = (input: Tensor, weight: Tensor) => sigmoid(add(matmul(input, weight), bias));
  const made = [
    layer(exp(x), mul(w, 0.5)),
    ...grad(sum(layer(x, w)), [x, w]), // by transposed inputs, of one workgroup size: in one dispatch
    matmul(transpose(batches, [0, 2, 1]), w),
  ];
  return Promise.all(
    made.map(async (y) => [...new Uint32Array(((await y.data()) as Float32Array).buffer)]),
  );
}

test("products by subgroups have what is fused into others, to the same bits", async () => {
  const plain = await results(multiplying(-1, new Set()));
  const many = subgroupChoices(products, lanesOf(gpu.device)).length;
  expect(many).toBe(5);
  for (let turn = 0; turn < many; turn++) {
    const taken = new Set<string>();
    expect(await results(multiplying(turn, taken)), `${turn}`).toEqual(plain);
    expect([...taken].sort()).toEqual([
      "shaders/lib/lane-blocks.wgsl",
      "shaders/lib/lanes.wgsl",
      "shaders/matmul-lanes.wgsl",
    ]);
  }
});
