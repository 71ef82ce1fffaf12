import { beforeAll, describe, expect, test } from "vitest";
import { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import type { GpuSession } from "../../src/devices/webgpu/session.ts";
import type { Choose, Family } from "../../src/forms/kernel.ts";
import {
  add,
  argmax,
  broadcastTo,
  cumProd,
  cumSum,
  type Device,
  gather,
  grad,
  init,
  logSumExp,
  matmul,
  moments,
  mul,
  reshape,
  softmax,
  sort,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { argReduce } from "../../src/kernels/arg-reduce.ts";
import { choicesOf } from "../../src/kernels/choose.ts";
import { directProducts, products } from "../../src/kernels/matmul.ts";
import { rowMoments } from "../../src/kernels/moments.ts";
import { placeRows } from "../../src/kernels/place-rows.ts";
import { reduce } from "../../src/kernels/reduce.ts";
import { scanNumbers, scanSteps } from "../../src/kernels/scan.ts";
import { scatteredSums } from "../../src/kernels/scatter-add.ts";
import { segmentSums } from "../../src/kernels/segment-sum.ts";
import { softmaxRows } from "../../src/kernels/softmax.ts";
import { sortRuns } from "../../src/kernels/sort-runs.ts";
import { expectWithin } from "../support/close.ts";
import { uniform } from "../support/reference.ts";

/** As many as the family with the most candidates has. */
const TURNS = 14;

let gpu: GpuDevice;
let cpu: Device;
beforeAll(async () => {
  gpu = (await init({ device: "webgpu", isolated: true })).device as GpuDevice;
  cpu = (await init({ device: "cpu", engine: "plain" })).device;
  await directProducts.get();
});

/** What each family of kernels computes; it has most candidates of those that a call needs. */
const calls: Record<string, [family: Family, (x: Tensor, indices: Tensor) => Tensor]> = {
  sum: [reduce, (x) => sum(x, { axis: 1 })],
  argmax: [argReduce, (x) => argmax(x, { axis: 1 })],
  softmax: [softmaxRows, (x) => softmax(x)],
  logSumExp: [softmaxRows, (x) => logSumExp(x, { axis: 1 })],
  variance: [rowMoments, (x) => moments(x, { axis: 1 }).variance],
  cumSum: [scanNumbers, (x) => cumSum(mul(x, 0.1))],
  "gradient of cumProd": [
    scanSteps,
    (x) => {
      const near = add(mul(x, 0.01), 1);
      return grad(sum(mul(cumProd(near), 0.01)), [near])[0];
    },
  ],
  sort: [sortRuns, (x) => sort(x).values],
  "gradient of sort": [placeRows, (x) => grad(sum(mul(sort(x).values, x)), [x])[0]],
  matmul: [products, (x) => matmul(x, add(x, 1).transpose())],
  "gradient of gather": [scatteredSums, (x, i) => grad(sum(mul(gather(x, i), 2)), [x])[0]],
  "gradient of a large gather": [
    segmentSums,
    (x, i) => {
      const many = broadcastTo(reshape(i, [1, i.size]), [400, i.size]);
      return grad(sum(mul(gather(x, many), 2)), [x])[0];
    },
  ],
};

/** The results on a device of the calls whose families have a candidate for a turn. */
async function results(device: Device, turn: number): Promise<Map<string, ArrayLike<number>>> {
  const x = tensor(uniform(37 * 300, 3, -2, 2), { shape: [37, 300], device });
  const indices = tensor(Int32Array.of(3, 36, 3, 0), { device });
  const found = new Map<string, ArrayLike<number>>();
  for (const [name, [family, call]] of Object.entries(calls)) {
    if (turn < choicesOf(family).length) found.set(name, await call(x, indices).data());
  }
  return found;
}

/** A device that takes the candidate of a turn, whatever the rules say; counts those that it took. */
function taking(turn: number, taken: Set<unknown>): Device {
  const device = new GpuDevice(gpu.device, gpu.adapter);
  const choose: Choose = (family) => {
    const all = choicesOf(family).filter(
      ({ kernel }) => !kernel.subgroups || gpu.device.features.has("subgroups"),
    );
    const choice = all[turn % all.length];
    taken.add(choice.candidate).add(choice.kernel);
    return choice;
  };
  (device.session as GpuSession).choose = choose;
  return device;
}

describe("a device whose choice is replaced", () => {
  const taken = new Set<unknown>();

  test("gives the same values by every candidate", async () => {
    const wanted = await results(cpu, 0);
    for (let turn = 0; turn < TURNS; turn++) {
      for (const [name, actual] of await results(taking(turn, taken), turn)) {
        const scale = name === "matmul" ? 600 : 1;
        const tolerance = (y: number) => 1e-6 * scale + 1e-5 * Math.abs(y);
        expectWithin(actual, wanted.get(name) as ArrayLike<number>, tolerance);
      }
    }
    expect(taken.size).toBeGreaterThan(30);
  });
});
