import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BufferStorage } from "../../../src/devices/webgpu/buffers.ts";
import type { GpuDevice } from "../../../src/devices/webgpu/gpu-device.ts";
import type { GpuSession } from "../../../src/devices/webgpu/session.ts";
import {
  add,
  compile,
  concat,
  type Device,
  evaluate,
  explain,
  GradusError,
  init,
  mul,
  Parameter,
  randomUniform,
  reshape,
  State,
  setDefaultDevice,
  sin,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from "../../../src/index.ts";
import { Adam, clipByGlobalNorm, LAMB, SGD } from "../../../src/optim/index.ts";

const SHAPES = [[3, 3], [7], [16, 16], [5, 20], [64], [1], [33, 3], [128, 8], [2, 3, 4], []];

function parametersOf(count: number): Parameter[] {
  return Array.from({ length: count }, (_, i) => {
    const shape = SHAPES[i % SHAPES.length];
    return new Parameter(randomUniform(shape, { seed: i + 1, low: -1, high: 1 }), {
      name: `p${i}`,
    });
  });
}

let device: Device;
beforeEach(async () => {
  device = (await init({ device: "webgpu", tune: "off", isolated: true })).device;
  setDefaultDevice(device);
});
afterEach(() => device.dispose());

/** Does the same on the CPU and on WebGPU; expects equal values but for rounding. */
async function onBoth(run: () => Promise<readonly State[]>): Promise<void> {
  const values: number[][][] = [];
  for (const own of [(await init({ device: "cpu", isolated: true })).device, device]) {
    setDefaultDevice(own);
    const states = await run();
    values.push(await Promise.all(states.map(async (state) => [...(await state.data())])));
  }
  const [cpu, webgpu] = values;
  for (const [i, own] of cpu.entries()) {
    const scale = Math.max(1, ...own.map(Math.abs));
    for (const [k, x] of own.entries()) {
      expect(Math.abs(webgpu[i][k] - x), `state ${i}, element ${k}`).toBeLessThan(2e-5 * scale);
    }
  }
}

const lossOf = (parameters: readonly Tensor[]) =>
  parameters.map((p, i) => mul(sum(square(sub(p, 0.1 * i))), 0.5)).reduce((a, b) => add(a, b));

describe("states that lie in one buffer", () => {
  test("leave no buffer behind where one cannot be had", async () => {
    const parameters = parametersOf(20);
    const sgd = new SGD(parameters, { learningRate: 0.1 });
    evaluate(...parameters);
    const { session } = device as GpuDevice;
    const { device: gpu, pool } = session as GpuSession;
    const real = gpu.createBuffer.bind(gpu);
    for (let n = 0; n < 5; n++) {
      const step = compile(() => {
        const loss = lossOf(parameters);
        sgd.step(loss);
        return [loss, mul(loss, 2)];
      });
      session.trim?.();
      let left = n;
      gpu.createBuffer = (descriptor) => {
        if (left-- <= 0) throw new Error("none");
        return real(descriptor);
      };
      await expect(step(), `call ${n}`).rejects.toThrow(GradusError);
      gpu.createBuffer = real;
      step.dispose();
      session.trim?.();
      const states = [...(device as GpuDevice).states].flatMap((state) => state.deref() ?? []);
      const blocks = new Set(
        states.map(({ node }) => (node.storage as BufferStorage | null)?.block),
      );
      blocks.delete(undefined);
      expect([pool.buffers, pool.held.plans], `call ${n}`).toEqual([blocks.size, 0]);
    }
  });

  test("are trained as those that do not, with a clip and norms too", () =>
    onBoth(async () => {
      const parameters = parametersOf(30);
      const clip = (g: readonly Tensor[]) => clipByGlobalNorm(g, 5).gradients;
      const adam = new Adam(parameters.slice(0, 20), { learningRate: 0.02, clip });
      const lamb = new LAMB(parameters.slice(20), { learningRate: 0.02 });
      const step = compile(() => {
        adam.step(lossOf(parameters.slice(0, 20)));
        lamb.step(lossOf(parameters.slice(20)));
      });
      for (let i = 0; i < 4; i++) await step();
      return [...parameters, ...adam.state().values(), ...lamb.state().values()];
    }));

  test("come and go: assigned, written, read elsewhere and given as arguments between steps", () =>
    onBoth(async () => {
      const parameters = parametersOf(24);
      const optimizer = new Adam(parameters, { learningRate: 0.02 });
      const step = compile(() => optimizer.step(lossOf(parameters)));
      const others = Array.from({ length: 14 }, (_, i) => new State(tensor([i, 1])));
      // One changes states of the step's and others, one reads a neighbour, one an argument, one writes two.
      const overlapping = compile(() => {
        for (const other of others) other.assign(sin(add(other, sum(parameters[2]))));
        for (const p of parameters.slice(0, 5)) p.assign(mul(p, 0.9));
      });
      const neighbour = compile(() => parameters[7].assign(add(parameters[7], parameters[17])));
      const given = compile((x: Tensor) => parameters[4].assign(add(parameters[4], x)));
      const two = compile(() => {
        for (const p of [parameters[7], parameters[17]]) p.assign(mul(p, 0.8));
      });
      await step();
      await two();
      parameters[3].assign(mul(parameters[3], 2));
      parameters[5].assign(tensor([7]));
      await step();
      await neighbour();
      await overlapping();
      await given(parameters[14]);
      await step();
      await given(reshape(parameters[14], [64]));
      const first = await parameters[6].data();
      expect(first.length).toBe(99);
      await overlapping();
      for (let i = 0; i < 3; i++) await neighbour();
      await step();
      evaluate(...parameters.map((p) => mul(p, 2)));
      return [...parameters, ...others, ...optimizer.state().values()];
    }));

  test("hold the memory constant, and free it with the last of them", async () => {
    const parameters = parametersOf(40);
    const optimizer = new Adam(parameters, { learningRate: 0.02 });
    const step = compile(() => optimizer.step(lossOf(parameters)));
    for (let i = 0; i < 3; i++) await step();
    const { tensors, buffers, bytes } = device.memory();
    const mark = device.counters.now;
    for (let i = 0; i < 30; i++) await step();
    expect(device.memory()).toMatchObject({ tensors, buffers, bytes });
    const made = { buffers: 0, bindGroups: 0, pipelines: 0, writes: 0, reads: 0 };
    expect(device.counters.since(mark)).toMatchObject(made);
    step.dispose();
    for (const p of parameters.slice(1)) p.dispose();
    optimizer.dispose();
    expect((await parameters[0].data()).length).toBe(9);
    parameters[0].dispose();
    expect(device.memory().tensors).toBe(0);
  });

  test("are read with them, and many tensors that are joined, where one is an argument", async () => {
    const parts = Array.from({ length: 300 }, (_, i) => tensor([i, -i]));
    const counts = Array.from({ length: 20 }, () => new State(tensor([0])));
    const join = compile((x: Tensor) => {
      for (const count of counts) count.assign(add(count, 1));
      return concat([...parts, x, ...counts]);
    });
    const flat = parts.flatMap((_, i) => [i, -i]);
    for (const n of [1, 2]) {
      const y = await join(tensor([7, 8, 9]));
      expect(await y.toArray()).toEqual([...flat, 7, 8, 9, ...counts.map(() => n)]);
    }
    parts[4].dispose();
    expect(await parts[5].toArray()).toEqual([5, -5]);
    expect(await counts[19].toArray()).toEqual([2]);
    const [plan] = join.plans;
    expect((await plan.stats()).dispatches).toBeLessThanOrEqual(10);
    expect((await explain(plan)).length).toBeGreaterThan(0);
  });

  test("are bound in buffers of the size that the adapter allows", async () => {
    const parameters = Array.from({ length: 12 }, () => new Parameter(tensor([1, 2, 3])));
    const step = compile(() => {
      for (const p of parameters) p.assign(mul(p, 2));
    });
    await step();
    expect((await (await step.prepare()).stats()).dispatches).toBe(1);
    expect(await parameters[11].toArray()).toEqual([2, 4, 6]);
  });
});
