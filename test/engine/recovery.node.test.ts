import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { DeviceError } from "../../src/core/errors.ts";
import type { DeviceDataset } from "../../src/data/index.ts";
import type { EngineDevice } from "../../src/engine/device.ts";
import type { DeviceNews, Storage } from "../../src/graph/device.ts";
import {
  add,
  compile,
  type Device,
  evaluate,
  full,
  init,
  moments,
  mul,
  pad,
  reshape,
  State,
  setDefaultDevice,
  sub,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { FragileDevice } from "../support/fragile-device.ts";
import { PATIENT } from "../support/patient.ts";
import { smallRun } from "../support/small-run.ts";

let device: FragileDevice;
let before: Device;
const news: DeviceNews[] = [];
beforeEach(async () => {
  before = (await init({ device: "cpu" })).device;
  device = new FragileDevice();
  news.length = 0;
  device.listeners.add((x) => void news.push(x));
  setDefaultDevice(device);
});
afterAll(() => setDefaultDevice(before));

describe("after a loss", () => {
  test("values from the host are there again", async () => {
    const x = tensor([1, 2, 3]);
    evaluate(x);
    await device.lose();
    expect(await x.toArray()).toEqual([1, 2, 3]);
    expect(await add(x, 1).toArray()).toEqual([2, 3, 4]);
    expect(news.map(({ event }) => event)).toEqual(["lost", "recovered"]);
  });

  test("what is not evaluated yet is computed", async () => {
    const x = tensor([1, 2, 3]);
    const y = mul(x, x);
    await device.lose();
    expect(await y.toArray()).toEqual([1, 4, 9]);
  });

  test("a value whose making takes little room is computed again", async () => {
    const x = tensor([1, 2, 3]);
    const y = mul(x, x);
    evaluate(y);
    x.dispose();
    await device.lose();
    expect(await y.toArray()).toEqual([1, 4, 9]);
  });

  test("what lies behind many others is read again", async () => {
    let y: Tensor = tensor([1]);
    for (let i = 0; i < 3000; i++) y = add(y, 1);
    const reading = y.item();
    await device.lose();
    expect(await reading).toBe(3001);
  });

  test("states that somebody looked at between the loss and the recovery come back", async () => {
    const made = [
      mul(tensor([1, 2]), 2),
      tensor([1, 2]),
      full([2], 3), // these three say by attributes what they are
      pad(tensor([6]), [[1, 0]], { value: 5 }),
      reshape(tensor([[8, 9]]), [2]),
      moments(tensor([5])).variance, // the second of two results
    ];
    const states = made.map((x) => new State(x));
    const lost = device.lose();
    await device.lost;
    for (const { node } of states) expect(node.storage).toBeNull();
    await Promise.all([lost, device.recovering]);
    expect(await Promise.all(states.map((state) => state.toArray()))).toEqual([
      [2, 4],
      [1, 2],
      [3, 3],
      [5, 6],
      [8, 9],
      0,
    ]);
  });

  test("a value that cannot be had again says so", async () => {
    const x = tensor(new Float32Array(100));
    const y = sum(x);
    evaluate(y);
    await device.lose();
    await expect(y.item()).rejects.toThrow(/^item: depends on values that went with a lost device/);
  });

  test("as many values are held as before, and none when all are freed", async () => {
    const { loader, ...run } = smallRun();
    const step = trainStep({ ...run, batchAt: loader.batchAt });
    for (let i = 0; i < 3; i++) await step();
    await step.read();
    const { tensors } = device.memory();
    await device.lose();
    await step();
    await step.read();
    expect(device.memory().tensors).toBe(tensors);
    step.dispose();
    for (const part of [run.model, run.optimizer]) {
      for (const state of part.state().values()) state.dispose();
    }
    (loader.dataset as DeviceDataset).dispose();
    expect(device.memory().tensors).toBe(0);
  });

  test("what is computed for a read while the device is being made again is freed with it", async () => {
    const x = tensor([1, 2, 3]);
    const y = mul(add(x, 1), 2);
    const w = new State(tensor([5, 6, 7]));
    evaluate(y, w);
    await device.lose();
    expect(device.recovering).not.toBeNull();
    const reads = [y.toArray(), sum(y).item(), w.toArray(), mul(w, y).toArray()];
    expect(await Promise.all(reads)).toEqual([[4, 6, 8], 18, [5, 6, 7], [20, 36, 56]]);
    for (const held of [x, y, w]) held.dispose();
    expect(device.memory().tensors).toBe(0);
  });

  test("calls that cannot wait say that the device is being made again", async () => {
    const x = tensor([1]);
    await device.lose();
    await Promise.resolve();
    const y = add(x, 1);
    expect(() => evaluate(y)).toThrow(
      "evaluate: the device was lost and is being made again; expected one that works. " +
        "Await device.recovering, then try again",
    );
    await device.recovering;
    evaluate(y);
    expect(await y.item()).toBe(2);
  });

  test("a state has the value that it was made with, or was given from the host last", async () => {
    const a = new State(tensor([1, 2]));
    const b = new State(tensor([1, 2]));
    evaluate(a, b);
    b.assign(tensor([5, 6]));
    await device.lose();
    expect(await a.toArray()).toEqual([1, 2]);
    expect(await b.toArray()).toEqual([5, 6]);
  });

  test("a state that changed on the device, with nothing to guard it, is gone until it is assigned", async () => {
    const a = new State(tensor([1, 2]), { name: "a" });
    a.assign(add(a, 1));
    await device.lose();
    await expect(a.data()).rejects.toThrow("went with a lost device");
    a.assign(tensor([7, 7]));
    expect(await a.toArray()).toEqual([7, 7]);
  });
});

/** A function whose result depends on the order and the number of all its calls. */
function counting(mirrorEvery: number | undefined) {
  const state = new State(tensor([1, 2, 3]), { name: "x" });
  const copy = new State(state, { name: "copy" });
  const step = compile(
    (batch: Tensor) => {
      const next = add(mul(state, 1.25), batch);
      state.assign(next);
      return sum(next);
    },
    { mirrorEvery },
  );
  return { state, copy, step };
}

/** Runs steps with something between them, and gives all that can be seen of it. */
async function outcome(mirrorEvery: number | undefined, lossAt: number | null, late = 0) {
  const { state, copy, step } = counting(mirrorEvery);
  const seen: unknown[] = [];
  let running: Tensor | undefined;
  for (let i = 0; i < 20; i++) {
    const batch = tensor([i, i / 2, i / 3]);
    const scaled = mul(batch, 1.5);
    running = await step(scaled);
    scaled.dispose();
    batch.dispose();
    if (i === lossAt) void device.lose(late);
    if (i % 5 === 0) seen.push(state.data());
    if (i % 7 === 0) seen.push(sub(state, copy).data());
    if (i === 11) {
      while (device.recovering) await device.recovering;
      copy.assign(add(state, copy));
      state.assign(tensor([0.5, 0.25, 0.125]));
    }
  }
  seen.push(running?.data(), state.data(), copy.data());
  return (await Promise.all(seen)).map((x) => Array.from(x as Float32Array));
}

describe("a compiled function that is guarded comes to the same bits", () => {
  for (const late of [0, 3]) {
    for (const every of [1, 4, 1000, Number.POSITIVE_INFINITY]) {
      test(`told ${late} ms late, mirrors every ${every}`, async () => {
        const straight = await outcome(every, null);
        for (const at of [0, 1, 6, 10, 12, 19]) {
          news.length = 0;
          expect(await outcome(every, at, late), `lost at ${at}`).toEqual(straight);
          while (device.recovering) await device.recovering;
          expect(news.map(({ event }) => event)).toEqual(["lost", "recovered"]);
          const { repeated, dropped } = news[1] as DeviceNews & { event: "recovered" };
          expect(dropped).toBe(0);
          expect(repeated).toBeLessThanOrEqual(every);
        }
      });
    }
  }
});

test("what is lost or spoiled keeps no other state from being guarded", async () => {
  const onDevice = (name: string) => {
    const state = new State(tensor([1, 2]), { name });
    state.assign(add(state, 1));
    evaluate(state);
    return state;
  };
  const lost = onDevice("lost");
  await device.lose();
  while (device.recovering) await device.recovering;
  const spoiled = onDevice("spoiled");
  (spoiled.node.storage as Storage).failure = new DeviceError("spoiled");
  const straight = await outcome(4, null);
  news.length = 0;
  expect(await outcome(4, 17)).toEqual(straight);
  while (device.recovering) await device.recovering;
  expect(news[1]).toMatchObject({ event: "recovered", dropped: 0 });
  expect((news[1] as DeviceNews & { event: "recovered" }).repeated).toBeLessThanOrEqual(4);
  for (const state of [lost, spoiled]) {
    await expect(state.data()).rejects.toThrow("went with a lost device");
  }
});

test("states are known to a device that can be lost, and to no other", async () => {
  const isolated = (await init({ device: "cpu", isolated: true })).device as EngineDevice;
  const made = [device, isolated].map((on) => new State(tensor(1, { device: on })));
  expect(device.states.size).toBeGreaterThan(0);
  expect(isolated.states.size).toBe(0);
  for (const state of made) state.dispose();
});

test("a device that is disposed while it is made again stays disposed", async () => {
  await device.lose();
  const { recovering, session } = device;
  device.dispose();
  await recovering;
  expect(device.session).not.toBe(session);
  expect(() => device.session.check("add")).toThrow("add: the cpu device was disposed");
  expect(device.recovering).toBe(null);
});

test("a call waits for the device that takes the place of one lost as it waits for room", async () => {
  const f = compile((x: Tensor) => add(x, 1));
  const x = tensor([1]);
  await f(x);
  const room = vi.spyOn(device, "room").mockImplementationOnce(() => device.lose());
  await f(x);
  expect(room).toHaveBeenCalledOnce();
  expect(news.map(({ event }) => event)).toEqual(["lost", "recovered"]);
  const y = add(x, 1);
  evaluate(y); // would throw while the device is made again
  expect(await y.toArray()).toEqual([2]);
});

test("a first call keeps its place though the device is lost before it runs", async () => {
  for (const late of [0, 1]) {
    const { state, step } = counting(4);
    const calls = [step(tensor([1, 1, 1])), step(tensor([1])), step(tensor([2, 2, 2]))];
    const lost = device.lose(late);
    if (late > 0) state.assign(mul(state, 2)); // has them run on what is lost and not known to be
    await lost;
    while (device.recovering) await device.recovering;
    for (const x of await Promise.all(calls)) x.dispose();
    const values = [1, 2, 3].map((x) => ((x * 1.25 + 1) * 1.25 + 1) * 1.25 + 2);
    const wanted = values.map((x) => x * (late > 0 ? 2 : 1));
    expect(await state.toArray(), `told ${late} ms late`).toEqual(wanted.map(Math.fround));
  }
});

test("what a guarded function came to is safe while the next one begins", async () => {
  const { state, step } = counting(4);
  for (let i = 0; i < 6; i++) (await step(tensor([i, i, i]))).dispose();
  const values = await state.toArray();
  step.dispose();
  await vi.waitFor(() => expect(device.journal.entries.size).toBe(0), PATIENT);
  const begun = counting(4).step(tensor([1, 1, 1]));
  await device.lose();
  (await begun).dispose();
  expect(await state.toArray()).toEqual(values);
});

test("a training step comes to the same bits", async () => {
  const train = async (lossAt: number | null) => {
    const { model, optimizer, loss, loader } = smallRun();
    const step = trainStep({ model, optimizer, loss });
    const losses: number[] = [];
    let i = 0;
    for (let epoch = 0; epoch < 3; epoch++) {
      for await (const batch of loader.epoch(epoch)) {
        await step(batch);
        batch.dispose();
        if (i === lossAt) void device.lose();
        if (i++ % 3 === 0) for (const { loss } of await step.read()) losses.push(loss);
      }
    }
    for (const { loss } of await step.read()) losses.push(loss);
    const states = [...model.state().values(), ...optimizer.state().values()];
    const bits = await Promise.all(states.map(async (state) => Array.from(await state.data())));
    return { losses, bits, next: step.next };
  };
  const straight = await train(null);
  for (const at of [0, 3, 7, 11]) expect(await train(at), `lost at ${at}`).toEqual(straight);
});
