import { beforeAll, describe, expect, test } from "vitest";
import { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import type { GpuSession } from "../../src/devices/webgpu/session.ts";
import type { Choose, KernelChoice } from "../../src/forms/kernel.ts";
import { type Device, init, tensor } from "../../src/index.ts";
import { choicesOf } from "../../src/kernels/candidates.ts";
import { directProducts, moreTiles } from "../../src/kernels/matmul.ts";
import { entryFile } from "../../src/kernels/stage.ts";
import { subgroupChoices } from "../../src/kernels/subgroup-trees.ts";
import { expectWithin } from "../support/close.ts";
import { familyCalls, waysOf } from "../support/family-calls.ts";
import { families } from "../support/kernel-families.ts";
import { tolerance as allowed } from "../support/op-case.ts";
import { uniform } from "../support/reference.ts";

/** As many as the families have, but products, of which that many are taken from all. */
const TURNS = 14;

let gpu: GpuDevice;
let cpu: Device;
beforeAll(async () => {
  gpu = (await init({ device: "webgpu", isolated: true })).device as GpuDevice;
  cpu = (await init({ device: "cpu", engine: "plain" })).device;
  await Promise.all([directProducts.get(), moreTiles.get()]);
});

/** The results on a device of the calls whose families have a candidate for a turn. */
async function results(device: Device, turn: number): Promise<Map<string, ArrayLike<number>>> {
  const x = tensor(uniform(37 * 300, 3, -2, 2), { shape: [37, 300], device });
  const indices = tensor(Int32Array.of(3, 36, 3, 0), { device });
  const found = new Map<string, ArrayLike<number>>();
  for (const [name, call] of Object.entries(familyCalls)) {
    if (call.plain || turn >= waysOf(call).length) continue; // test/kernels has those of plain ones
    found.set(name, await call.run(x, indices).data());
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
    const choice =
      all[all.length > TURNS ? Math.floor((turn * all.length) / TURNS) : turn % all.length];
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
        const { scale } = familyCalls[name];
        const tolerance = (y: number) => allowed(y, scale);
        expectWithin(actual, wanted.get(name) as ArrayLike<number>, tolerance);
      }
    }
    expect(taken.size).toBeGreaterThan(30);
  });
});

test("every family of kernels has a call", () => {
  const files = (choices: readonly KernelChoice[]) =>
    choices.map(({ kernel }) => entryFile(kernel));
  const calls = Object.values(familyCalls);
  const called = new Set(calls.map(({ family }) => family));
  const plain = calls.flatMap((call) => (call.plain ? files(waysOf(call)) : []));
  const bySubgroups = calls.flatMap(({ family }) =>
    files(subgroupChoices(family, { least: 32, most: 32, matrices: 32 })),
  );
  const others = new Set([...plain, ...bySubgroups]);
  const without = Object.entries(families).filter(([, { family }]) => {
    return !called.has(family) && files(choicesOf(family)).some((file) => !others.has(file));
  });
  expect(without.map(([name]) => name)).toEqual([]);
});
