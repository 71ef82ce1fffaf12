import { beforeAll, expect, test } from "vitest";
import { describeAdapter, findAdapter, findGpu } from "../../src/devices/webgpu/adapter.ts";
import { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import { compile, type Device, init, type State, type Tensor } from "../../src/index.ts";
import { isAcceptance } from "../support/acceptance.ts";
import type { RandomProgram } from "../support/random-choice.ts";
import { randomProgram } from "../support/random-program.ts";

const CALLS = 4;
// Other programs: VITE_FIRST=40 VITE_COUNT=200.
const FIRST = Number(import.meta.env.VITE_FIRST ?? 0);
const COUNT = Number(import.meta.env.VITE_COUNT ?? (isAcceptance ? 200 : 40));

let cpu: Device;
const gpus: Device[] = [];
beforeAll(async () => {
  cpu = (await init({ device: "cpu" })).device;
  for (const kernels of ["direct", "workgroup"] as const) {
    gpus.push((await init({ device: "webgpu", isolated: true, kernels })).device);
    gpus.push(await leastDevice(kernels));
  }
});

/** A device with the limits that every adapter has: 8 buffers a kernel, 16 KiB for workgroups. */
async function leastDevice(kernels: "direct" | "workgroup"): Promise<Device> {
  const adapter = (await findAdapter(await findGpu())) as GPUAdapter;
  const device = await adapter.requestDevice();
  expect(device.limits.maxStorageBuffersPerShaderStage).toBe(8);
  return new GpuDevice(device, await describeAdapter(adapter), { kernels });
}

type Values = ArrayLike<number>;

async function valuesOf(tensors: readonly (Tensor | State)[]): Promise<Values[]> {
  return Promise.all(tensors.map((x) => x.data()));
}

/** Makes the calls, and gives what was returned and all states after each one. */
async function run(
  program: RandomProgram,
  call: (x: Tensor, y: Tensor) => Promise<Tensor[]>,
): Promise<Values[][]> {
  const found: Values[][] = [];
  for (let i = 0; i < CALLS; i++) {
    const [x, y] = program.inputs(i);
    const results = await call(x, y);
    found.push([...(await valuesOf(results)), ...(await valuesOf(program.states))]);
  }
  return found;
}

async function compiled(seed: number, device: Device): Promise<Values[][]> {
  const program = randomProgram(seed, device, "f32");
  const f = compile(program.body);
  const found = await run(program, async (x, y) => {
    const results = await f(x, y);
    for (const given of [x, y]) given.dispose();
    return results;
  });
  f.dispose();
  return found;
}

function difference(got: readonly Values[][], want: readonly Values[][]): string {
  for (let call = 0; call < CALLS; call++) {
    for (const [k, values] of want[call].entries()) {
      const scale = Math.max(1, ...Array.from(values, (x) => Math.abs(x) || 0));
      for (let i = 0; i < values.length; i++) {
        const error = Math.abs(got[call][k][i] - values[i]);
        const isSame = Object.is(got[call][k][i], values[i]) || error <= 1e-3 * scale;
        if (!isSame) {
          return `call ${call}, value ${k}, element ${i}: ${got[call][k][i]} for ${values[i]}`;
        }
      }
    }
  }
  return "";
}

for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
  test(`random program ${seed} means the same compiled and not`, async () => {
    const plain = randomProgram(seed, cpu, "f64");
    const want = await run(plain, async (x, y) => plain.body(x, y));
    expect(difference(await compiled(seed, cpu), want), "cpu").toBe("");
    const gpu = gpus[seed % gpus.length];
    expect(difference(await compiled(seed, gpu), want), "webgpu").toBe("");
  });
}
