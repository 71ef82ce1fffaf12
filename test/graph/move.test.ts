import { beforeAll, describe, expect, test, vi } from "vitest";
import type { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import type { EngineDevice } from "../../src/engine/device.ts";
import {
  add,
  compile,
  type Device,
  DeviceError,
  DisposedError,
  DTypeError,
  exp,
  GradusError,
  init,
  MemoryError,
  memory,
  mul,
  Parameter,
  State,
  square,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { Linear, Module, Sequential } from "../../src/nn/index.ts";
import { Adam, OptimizerGroup, SGD, WeightAverage } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { inBrowser, ownDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

/** The device that is tested, and another: of the other kind in a browser. */
let here: EngineDevice;
let there: Device;
beforeAll(async () => {
  here = (await ownDevice()) as EngineDevice;
  there = (await init({ device: "cpu", isolated: true })).device;
});

const x = (device: Device) => tensor([[1, 2]], { device });

async function learn(model: Module, optimizer: Adam, device: Device, steps: number) {
  const loss = (net: Module, x: Tensor) => sum(square(net.call(x)));
  const step = trainStep({ model, optimizer, loss });
  for (let i = 0; i < steps; i++) await step(x(device));
  const losses = (await step.read()).map(({ loss }) => loss);
  step.dispose();
  return losses;
}

function made() {
  const model = new Sequential(new Linear(2, 3, { seed: 1 }), new Linear(3, 1, { seed: 2 }));
  return { model, optimizer: new Adam(model.parameters(), { learningRate: 0.1 }) };
}

describe("a tensor", () => {
  test("is copied to another device, and is itself on its own", async () => {
    const y = tensor([1, 2]);
    expect(await y.to(here)).toBe(y);
    const z = await add(y, 1).to(there);
    expect([z.device, await z.toArray()]).toEqual([there, [2, 3]]);
    expect(await (await z.to(here)).toArray()).toEqual([2, 3]);
    const bytes = await tensor(Uint8Array.of(1, 0), { dtype: "bool" }).to(there);
    expect([bytes.dtype, await bytes.toArray()]).toEqual(["bool", [1, 0]]);
  });

  test("that cannot be copied says why", async () => {
    const y = tensor([1]);
    await expect(y.to("cpu" as never)).rejects.toThrow(
      new DeviceError('to: device "cpu"; expected one that init gave, as (await init()).device'),
    );
    await expect(y.to(there, 1 as never)).rejects.toThrow("to: 1 too much; expected to(device)");
    const lost = (await init({ device: "cpu", isolated: true })).device;
    lost.dispose();
    await expect(y.to(lost)).rejects.toThrow(DeviceError);
    y.dispose();
    await expect(y.to(there)).rejects.toThrow(DisposedError);
    const inside: Promise<unknown>[] = [];
    const f = compile((z: Tensor) => {
      inside.push(z.to(there).catch((error) => error));
      return mul(z, 2);
    });
    await f(tensor([1]));
    expect(await inside[0]).toEqual(
      new GradusError(
        "to: called in a function that is being compiled; expected no reads there. Call it outside",
      ),
    );
  });
});

describe("a model", () => {
  test("goes on with its optimizer where it was moved", async () => {
    const still = made();
    const losses = await learn(still.model, still.optimizer, here, 6);
    const { model, optimizer } = made();
    const states = [...model.state().values(), ...optimizer.owned()];
    const first = await learn(model, optimizer, here, 3);
    expect(await model.to(there)).toBe(model);
    expect(await optimizer.to(there)).toBe(optimizer);
    expect([...model.state().values(), ...optimizer.owned()]).toEqual(states);
    expect(states.every(({ device }) => device === there)).toBe(true);
    const second = await learn(model, optimizer, there, 3);
    for (const [i, loss] of [...first, ...second].entries()) expect(loss).toBeCloseTo(losses[i], 5);
    await model.to(here);
    await optimizer.to(here);
    expect(await learn(model, optimizer, here, 1)).toHaveLength(1);
    expect(await optimizer.counter.item()).toBe(7);
    for (const made of [still.model, still.optimizer, model, optimizer]) made.dispose();
  });

  test("keeps its bits, and frees its memory where it was", async () => {
    const [before, other] = [held(here), held(there)];
    const { model, optimizer } = made();
    const weights = () => Promise.all(model.parameters().map((p) => p.data()));
    const values = await weights();
    const own = [...model.state().values(), ...optimizer.owned()].length;
    await model.to(there);
    await optimizer.to(there);
    expect(await weights()).toEqual(values);
    expect(held(here)).toBe(before);
    expect(held(there)).toBe(other + own);
    const { version } = model.parameters()[0];
    await model.to(there); // there is nothing to do
    expect(model.parameters()[0].version).toBe(version);
    optimizer.dispose();
    model.dispose();
    expect(held(there)).toBe(other);
  });

  test("of which a state cannot go stays where it is", async () => {
    class Net extends Module {
      weight = new Parameter(tensor([1, 2]), { name: "weight" });
      constructor(readonly extra: State) {
        super();
      }
      override forward(x: Tensor) {
        return mul(x, this.weight);
      }
    }
    const disposed = new State(tensor(1));
    disposed.dispose();
    await expect(new Net(disposed).to(there)).rejects.toThrow(DisposedError);
    const net = new Net(new State(tensor(1)));
    const before = held(there);
    const { readAll } = here;
    vi.spyOn(here, "readAll").mockImplementationOnce(async (...given) => {
      const values = await readAll.apply(here, given);
      net.weight.assign(tensor([3, 4]));
      return values;
    });
    await expect(net.to(there)).rejects.toThrow(
      new GradusError(
        'to: "weight" was assigned while it was moved; expected no steps meanwhile. Wait for them first',
      ),
    );
    expect([net.weight.device, net.extra.device]).toEqual([here, here]);
    expect(held(there)).toBe(before);
    expect(await net.weight.toArray()).toEqual([3, 4]);
    expect(await mul(net.weight, 2).toArray()).toEqual([6, 8]);
    if (!inBrowser) return;
    const wide = new Net(new State(tensor([1], { dtype: "f64", device: there }), { name: "wide" }));
    await expect(wide.to(here)).rejects.toThrow(DTypeError);
    expect(wide.extra.device).toBe(there);
  });
});

test.runIf(inBrowser)(
  "a model for which there is no memory stays where it was, whole",
  async () => {
    const model = new Linear(64, 64, { seed: 1, device: there });
    const weights = await model.weight.data();
    const gpu = (here as GpuDevice).device;
    const before = held(here);
    const real = gpu.createBuffer.bind(gpu);
    // So much cannot be had, nor be mapped.
    gpu.createBuffer = ({ usage, mappedAtCreation }) =>
      real({
        label: "too large",
        size: mappedAtCreation ? 2 ** 50 : 2 ** 30,
        usage,
        mappedAtCreation,
      });
    try {
      await expect(model.to(here)).rejects.toThrow(MemoryError);
    } finally {
      gpu.createBuffer = real;
    }
    expect([model.weight.device, model.bias?.device]).toEqual([there, there]);
    expect(held(here)).toBe(before);
    await model.to(here);
    expect(await model.weight.data()).toEqual(weights);
  },
);

test("a step that was compiled for the old device says so, and works when all are back", async () => {
  const { model, optimizer } = made();
  const loss = (net: Module, x: Tensor) => sum(square(net.call(x)));
  const step = trainStep({ model, optimizer, loss });
  await step(x(here));
  await model.to(there);
  const calls = [step(x(there)), step(x(here))];
  for (const call of calls) await expect(call).rejects.toThrow("expected");
  await model.to(here);
  const under = step(x(here));
  await Promise.all([under, step(x(here))]);
  expect([step.next, (await step.read()).length]).toEqual([3, 3]);
});

test("a compiled function frees what it had on the old device", async () => {
  here = (await ownDevice()) as EngineDevice; // with nothing of other tests that may be reclaimed
  const before = memory(here).buffers;
  const model = new Linear(2, 2, { seed: 1 });
  const step = compile(() => model.weight.assign(mul(exp(model.weight), 0.5)));
  await step();
  const { pipelines } = memory(here);
  await model.to(there);
  await step();
  expect(step.plans).toHaveLength(1);
  if (inBrowser) expect(memory(here).pipelines).toBeLessThan(pipelines);
  else expect(memory(here).buffers).toBe(before);
});

/** A step whose plan is ready when the state that it changes has moved. */
function movedStep() {
  const w = new State(tensor([1]), { name: "w" });
  const step = compile(() => w.assign(mul(w, 2)));
  const holder = new (class extends Module {
    w = w;
    override forward(x: Tensor) {
      return x;
    }
  })();
  const { plan } = here;
  vi.spyOn(here, "plan").mockImplementationOnce((...given) => {
    const prepare = () => holder.to(there).then(() => {});
    const ready = { get: () => w.device === there };
    return Object.defineProperties(plan.apply(here, given), { prepare: { value: prepare }, ready });
  });
  return { w, step };
}

test("a call that waits for its plan comes before a move of its states", async () => {
  const { w, step } = movedStep();
  await step();
  expect([w.device, await w.item()]).toEqual([there, 2]);
  await step();
  expect(await w.item()).toBe(4);
});

test("a call whose states have moved while nothing could run says so", async () => {
  const { w, step } = movedStep();
  const spy = vi.spyOn(here, "catchUp").mockImplementation(() => {}); // as while it is made again
  await expect(step()).rejects.toThrow(
    new DeviceError(
      "compile: states moved to another device during the call; expected them to stay. Wait for " +
        "calls before you move them",
    ),
  );
  spy.mockRestore();
  await step();
  expect([w.device, await w.item()]).toEqual([there, 2]);
});

test("groups of optimizers, averages and compiled functions move too", async () => {
  const [p, q] = [1, 2].map((value) => new Parameter(tensor([value]), { name: `p${value}` }));
  const members = [
    new SGD([p], { learningRate: 1, momentum: 0.9 }),
    new Adam([q], { learningRate: 1 }),
  ];
  const group = new OptimizerGroup(members);
  const average = new WeightAverage([p, q], { decay: 0.5 });
  const step = compile(() => {
    group.step(sum(add(square(p), square(q))));
    average.update();
  });
  await step();
  class Net extends Module {
    parts = [p, q];
    override forward(x: Tensor) {
      return x;
    }
  }
  await new Net().to(there);
  await expect(step()).rejects.toThrow("expected one device");
  await group.to(there);
  await average.to(there);
  await step();
  expect(step.plans).toHaveLength(1);
  expect([p, ...group.owned(), ...average.averages].every(({ device }) => device === there)).toBe(
    true,
  );
  expect(await average.counter.item()).toBe(2);
  expect(await p.item()).toBeCloseTo(-0.8, 6); // v = 2, p = −1, then v = 0.9 · 2 − 2
});
