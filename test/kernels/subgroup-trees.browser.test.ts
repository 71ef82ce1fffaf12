import { beforeAll, expect, test } from "vitest";
import { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import type { ChooseInProgram } from "../../src/devices/webgpu/jobs.ts";
import type { GpuSession } from "../../src/devices/webgpu/session.ts";
import { init, logSoftmax, max, sum, type Tensor, tensor, variance } from "../../src/index.ts";
import { subgroupChoices } from "../../src/kernels/subgroup-trees.ts";
import { layerNorm } from "../../src/ops/index.ts";
import { uniform } from "../support/reference.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = (await init({ device: "webgpu", isolated: true, tune: "off" })).device as GpuDevice;
  expect(gpu.device.features.has("subgroups")).toBe(true);
});

/** A device whose trees of so many invocations are joined by subgroups of so many lanes; 0 for none. */
function joining(threads: number, lanes: number, taken: Set<string>): GpuDevice {
  const device = new GpuDevice(gpu.device, gpu.adapter, { kernels: "workgroup" });
  const choose: ChooseInProgram = (family, problem) => {
    const trees = family.kernels.filter(({ kind }) => kind === "workgroup").slice(0, 1);
    const plain = trees.flatMap((kernel) =>
      kernel.candidates.map((own) => ({ kernel, candidate: own })),
    );
    const all = lanes > 0 ? subgroupChoices(family, { least: lanes, most: 4 }) : plain;
    const choice = all.find(({ candidate }) => candidate.WORKGROUP === threads);
    if (!choice) return rule(family, problem);
    for (const { name } of choice.kernel.files) taken.add(name);
    return choice;
  };
  const session = device.session as GpuSession;
  const rule = session.choose;
  session.choose = choose;
  return device;
}

const OPS: readonly ((x: Tensor) => Tensor)[] = [
  (x) => sum(x, { axis: 1 }),
  (x) => max(x, { axis: 1 }),
  (x) => logSoftmax(x),
  (x) => variance(x, { axis: 1 }),
  (x) => layerNorm(x, x.shape[1]),
];

/** So many that sums in another order differ in some. */
const ROWS = 24;

async function bits(device: GpuDevice, length: number): Promise<number[][]> {
  const values = uniform(ROWS * length, 5, -4, 4);
  values[1] = Number.NaN;
  values[length] = Number.POSITIVE_INFINITY;
  const x = tensor(values, { shape: [ROWS, length], device });
  const results = await Promise.all(OPS.map(async (op) => op(x).data()));
  return results.map(({ buffer }) => [...new Uint32Array(buffer)]);
}

test.each([64, 128, 256])(
  "trees of %d that end by subgroups give the same bits",
  async (threads) => {
    for (const length of [1, threads - 1, 4 * threads + 1]) {
      const plain = await bits(joining(threads, 0, new Set()), length);
      const taken = new Set<string>();
      expect(await bits(joining(threads, 4, taken), length)).toEqual(plain);
      const entries = [...taken].filter((name) => !name.includes("lib/")).sort();
      expect(taken).toContain("shaders/lib/subgroups.wgsl");
      expect(entries).toEqual(
        ["moments", "reduce", "softmax", "standardize"].map((name) => `shaders/${name}.wgsl`),
      );
    }
  },
);

test("lanes may be fewer than a subgroup has", async () => {
  const plain = await bits(joining(64, 0, new Set()), 200);
  expect(await bits(joining(64, 2, new Set()), 200)).toEqual(plain);
});
