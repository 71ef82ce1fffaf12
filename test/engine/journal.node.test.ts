import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { CpuSession } from "../../src/devices/cpu/cpu-device.ts";
import type { DeviceNews } from "../../src/graph/device.ts";
import {
  add,
  assignAll,
  compile,
  type Device,
  evaluate,
  init,
  mul,
  reshape,
  State,
  setDefaultDevice,
  slice,
  softmax,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { FragileDevice } from "../support/fragile-device.ts";
import { PATIENT } from "../support/patient.ts";

let device: FragileDevice;
let before: Device;
const news: DeviceNews[] = [];
/** Milliseconds on a clock that stands still, so that no mirror is due but in tests that move it. */
let time = 1e6;
const clock = vi.spyOn(performance, "now").mockImplementation(() => time);
beforeEach(async () => {
  before = (await init({ device: "cpu" })).device;
  device = new FragileDevice();
  news.length = 0;
  device.listeners.add((x) => void news.push(x));
  setDefaultDevice(device);
});
afterAll(() => {
  clock.mockRestore();
  setDefaultDevice(before);
});

const back = async () => {
  while (device.recovering) await device.recovering;
};

/** Three numbers on the device that take more to compute again than they are. */
function hard(value: number): Tensor {
  const x = tensor(new Float32Array(300).fill(value / 100));
  const y = sum(reshape(x, [3, 100]), { axis: 1 });
  evaluate(y);
  x.dispose();
  return y;
}

/** x ← 2x + batch, and what is given back, 10x. */
function doubling(mirrorEvery?: number) {
  const x = new State(tensor([1, 2, 3]), { name: "x" });
  const step = compile(
    (batch: Tensor) => {
      const next = add(mul(x, 2), batch);
      x.assign(next);
      return mul(next, 10);
    },
    { mirrorEvery },
  );
  return { x, step };
}

/** x ← x + 1, given nothing and giving nothing. */
function counter(mirrorEvery = 1000) {
  const x = new State(tensor(0), { name: "x" });
  const step = compile(() => x.assign(add(x, 1)), { mirrorEvery });
  return { x, step };
}

describe("a run whose batch cannot be had again", () => {
  test("takes what it changes with it, and what follows it, until that is assigned", async () => {
    const warn = vi.spyOn(console, "warn");
    const { x, step } = doubling(1000);
    const other = counter();
    const still = new State(tensor([4]), { name: "still" });
    await other.step();
    (await step(tensor([1, 1, 1]))).dispose();
    const batch = hard(5);
    const y = await step(batch);
    (await step(tensor([1, 1, 1]))).dispose();
    await other.step();
    const reads = [x.data(), y.data()];
    const told = Promise.allSettled(reads);
    await device.lose();
    for (const read of await told) {
      expect(read).toMatchObject({ status: "rejected" });
      const { reason } = read as PromiseRejectedResult;
      expect(reason.message).toMatch(/^data: depends on values that went with a lost device/);
    }
    await back();
    // What comes after it is left out too, so that all states are of one moment.
    expect(news[1]).toMatchObject({ event: "recovered", repeated: 1, dropped: 3 });
    const { milliseconds } = news[1] as DeviceNews & { event: "recovered" };
    expect(milliseconds >= 0 && milliseconds < 60_000).toBe(true);
    expect(warn).not.toHaveBeenCalled(); // somebody listens
    warn.mockRestore();
    await expect(x.data()).rejects.toThrow("went with a lost device");
    await expect(other.x.data()).rejects.toThrow("went with a lost device");
    expect(await still.data()).toEqual(Float32Array.of(4));
    x.assign(tensor([1, 1, 1]));
    const after = await step(tensor([0, 1, 2]));
    expect(await after.toArray()).toEqual([20, 30, 40]);
    expect(device.journal.entries.size).toBeLessThan(8); // what was dropped is no part of it
  });

  test("is told to the console where nobody listens", async () => {
    device.listeners.clear();
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    try {
      const { step } = doubling(1000);
      (await step(tensor([1, 1, 1]))).dispose();
      await device.lose();
      await back();
      expect(warn).not.toHaveBeenCalled(); // nothing is dropped
      (await step(hard(5))).dispose();
      (await step(hard(6))).dispose();
      await device.lose();
      await back();
      expect(warn.mock.calls).toEqual([
        [
          "gradus: 2 steps went with the device, since what they were given cannot be had again; " +
            "training goes on before them",
        ],
      ]);
    } finally {
      warn.mockRestore();
    }
  });
});

test("an assigned value that cannot be had again is gone, and no other with it", async () => {
  const { x, step } = counter();
  await step();
  const [a, b] = [5, 6].map((value) => new State(tensor([value, 0, 0])));
  assignAll([
    [a, hard(7)],
    [b, add(b, 1)],
  ]);
  await step();
  await device.lose();
  await back();
  await expect(a.data()).rejects.toThrow("went with a lost device");
  expect(await b.toArray()).toEqual([7, 1, 1]);
  expect(await x.item()).toBe(2);
});

test("a read that fails while the device is made again says why", async () => {
  const { x, step } = counter();
  await step();
  const read = x.item();
  const other = add(x, 1).item();
  const told = Promise.allSettled([read, other]);
  let failed = 0;
  device.onCall = (what) => {
    if (what === "read" && device.recovering && failed++ === 0) throw new Error("no room");
  };
  await device.lose();
  const [first, second] = await told;
  expect(first).toMatchObject({ status: "rejected", reason: { message: "no room" } });
  expect(second).toEqual({ status: "fulfilled", value: 2 });
  await back();
  expect(await x.item()).toBe(1);
});

describe("a device that is lost while it is made again", () => {
  for (const kind of ["run", "prepare", "read"] as const) {
    test(`at a ${kind} comes back with the same bits`, async () => {
      const { x, step } = doubling(1000);
      for (let i = 0; i < 4; i++) {
        using source = tensor([i, i, i]); // the collector may come in the middle
        using batch = mul(source, 2);
        (await step(batch)).dispose();
      }
      const straight = await x.toArray();
      const { tensors } = device.memory();
      let losses = 0;
      device.onCall = (what) => {
        if (what === kind && device.recovering && losses++ < 2) void device.lose();
      };
      const read = x.toArray(); // is under way
      void device.lose();
      expect(await read).toEqual(straight);
      await back();
      expect(await x.toArray()).toEqual(straight);
      expect(losses).toBeGreaterThan(0);
      expect(device.memory().tensors).toBe(tensors);
    });
  }
});

test("losses in a row are counted: those with no mirror between, within a minute", async () => {
  const { step } = counter(4);
  const lose = async () => {
    await device.lose();
    await back();
  };
  await step();
  for (let i = 0; i < 3; i++) await lose();
  expect(device.inARow).toEqual([0, 1, 2]);
  const { mirrors } = device.journal;
  for (let i = 0; i < 8; i++) await step();
  await vi.waitFor(() => expect(device.journal.mirrors).toBeGreaterThan(mirrors), PATIENT);
  for (let i = 0; i < 2; i++) await lose();
  expect(device.inARow.slice(3)).toEqual([0, 1]);
  time += 61_000;
  await lose();
  expect(device.inARow.slice(5)).toEqual([0]);
});

test("a device that can be lost no more keeps no journal", async () => {
  const { x, step } = counter();
  for (let i = 0; i < 3; i++) await step();
  device.isLastLoss = true;
  await device.lose();
  await back();
  expect(await x.item()).toBe(3);
  expect(device.journal.isOn).toBe(false);
  expect(device.journal.entries.size).toBe(0);
  await step();
  expect(device.journal.entries.size).toBe(0);
  expect(await x.item()).toBe(4);
});

describe("the journal", () => {
  test("has one entry for runs that are alike and are given nothing", async () => {
    const { x, step } = counter();
    await step();
    const { size } = device.journal.entries;
    for (let i = 0; i < 9; i++) await step();
    expect(device.journal.entries.size).toBe(size);
    const timesOf = () =>
      [...device.journal.entries].flatMap((entry) => (entry.kind === "run" ? entry.times : []));
    expect(timesOf()).toEqual([10]);
    const other = counter();
    await other.step();
    for (let i = 0; i < 2; i++) await step();
    expect(timesOf().slice(-2)).toEqual([1, 2]);
    const repeated = timesOf().reduce((a, b) => a + b);
    await device.lose();
    await back();
    expect([await x.item(), await other.x.item()]).toEqual([12, 1]);
    expect(news[1]).toMatchObject({ repeated, dropped: 0 });
  });

  test("is cut where batches take more than it may keep", async () => {
    const total = new State(tensor(0), { name: "total" });
    const step = compile(
      (batch: Tensor) => total.assign(add(total, sum(slice(batch, [{ end: 1 }])))),
      {
        mirrorEvery: Number.POSITIVE_INFINITY,
      },
    );
    const batch = () => tensor(new Float32Array(2 ** 21).fill(1)); // 8 MiB
    await step(batch());
    const { mirrors } = device.journal;
    for (let i = 0; i < 17; i++) await step(batch());
    expect(device.journal.mirrors).toBeGreaterThan(mirrors);
    expect([...device.journal.entries].filter(({ kind }) => kind === "run").length).toBeLessThan(
      10,
    );
    await device.lose();
    await back();
    expect(await total.item()).toBe(18);
  });

  test("copies what has changed since the last mirror, and nothing else", async () => {
    const still = Array.from({ length: 5 }, (_, i) => {
      const state = new State(tensor(i), { name: `${i}` });
      state.assign(add(state, 1)); // its value is nowhere but on the device
      return state;
    });
    evaluate(...still);
    const { x, step } = counter(2);
    const download = vi.spyOn(device.session, "download");
    for (let i = 0; i < 40; i++) await step();
    const sizes = download.mock.calls.map(([wanted]) => wanted.length);
    expect(sizes[0]).toBe(5); // what the new counter holds is on the host
    expect(new Set(sizes.slice(1))).toEqual(new Set([1]));
    still[2].assign(add(still[2], 10));
    evaluate(still[2]);
    const { length } = download.mock.calls;
    for (let i = 0; i < 40; i++) await step();
    const later = download.mock.calls.slice(length).map(([wanted]) => wanted.length);
    expect([later.filter((n) => n === 2).length, Math.max(...later)]).toEqual([1, 2]);
    await device.lose();
    await back();
    expect(await Promise.all([x, ...still].map((state) => state.item()))).toEqual([
      80, 1, 2, 13, 4, 5,
    ]);
  });

  test("is copied as the last function that it guards is disposed, and not before", async () => {
    const [first, last] = [counter(), counter()];
    for (const { step } of [first, last, first, last]) await step();
    const turn = () => new Promise((resolve) => setTimeout(resolve));
    await turn();
    const download = vi.spyOn(device.session, "download");
    first.step.dispose();
    await turn();
    expect(download).not.toHaveBeenCalled();
    last.step.dispose();
    await turn();
    expect(download).toHaveBeenCalledOnce();
  });

  test("knows the first value of a state that was made of others, whatever becomes of those", async () => {
    const { x, step } = doubling(1000);
    (await step(tensor([1, 1, 1]))).dispose();
    const made = new State(mul(x, 100), { name: "made" });
    (await step(tensor([1, 1, 1]))).dispose();
    const again = new State(add(made, x), { name: "again" });
    made.assign(add(made, 1));
    (await step(tensor([1, 1, 1]))).dispose();
    const states = [x, made, again];
    const straight = await Promise.all(states.map((state) => state.toArray()));
    expect(straight).toEqual([
      [15, 23, 31],
      [301, 501, 701],
      [307, 511, 715],
    ]);
    await device.lose();
    await back();
    expect(await Promise.all(states.map((state) => state.toArray()))).toEqual(straight);
  });

  test("is cut when it is time: half a second after the last mirror, or fifty times what that took", async () => {
    const { step } = counter(Number.POSITIVE_INFINITY);
    const { readNow } = device;
    const reads: Promise<unknown>[] = [];
    let takes = 0;
    device.readNow = (...given) => {
      const read = readNow.apply(device, given).then((values) => {
        time += takes;
        return values;
      });
      reads.push(read);
      return read;
    };
    /** How many mirrors there are after each of some steps. */
    const mirrorsAfter = async (times: readonly number[]) => {
      const mirrors: number[] = [];
      for (const passed of times) {
        time += passed;
        await step();
        await Promise.all(reads); // begun by the step, if at all
        await new Promise((resolve) => setTimeout(resolve));
        mirrors.push(device.journal.mirrors);
      }
      return mirrors;
    };
    expect(await mirrorsAfter([0])).toEqual([1]);
    expect(await mirrorsAfter([100, 300, 99, 2, 400, 200])).toEqual([1, 1, 1, 2, 2, 3]);
    takes = 100;
    expect(await mirrorsAfter([600, 4000, 900, 200])).toEqual([4, 4, 4, 5]);
  });

  test("knows a state that is new while it is kept, and one that is written from the host", async () => {
    const { x, step } = counter();
    await step();
    const late = new State(tensor([1, 2]), { name: "late" });
    late.assign(add(late, 1));
    const written = new State(tensor([0, 0]), { name: "written" });
    written.assign(tensor([3, 4]));
    await step();
    written.assign(add(written, x));
    await device.lose();
    await back();
    expect(await late.toArray()).toEqual([2, 3]);
    expect(await written.toArray()).toEqual([5, 6]);
  });

  test("holds no tensors that others do not hold, before and after a loss", async () => {
    const { x, step } = doubling(1000);
    const batch = tensor([1, 1, 1]);
    const results: Tensor[] = [];
    for (let i = 0; i < 6; i++) {
      const own = mul(batch, i);
      results.push(await step(i % 2 ? batch : own));
      own.dispose();
    }
    results[1].dispose();
    results[4].dispose();
    const values = await Promise.all([0, 2, 3, 5].map((i) => results[i].toArray()));
    const upload = vi.spyOn(CpuSession.prototype, "upload");
    const { tensors } = device.memory();
    await device.lose();
    await back();
    // The batch that lies on the host goes up once for all runs, and the state.
    expect(upload.mock.calls.length).toBe(2);
    upload.mockRestore();
    expect(await Promise.all([0, 2, 3, 5].map((i) => results[i].toArray()))).toEqual(values);
    expect(await x.toArray()).toEqual((values[3] as number[]).map((y) => y / 10));
    expect(device.memory().tensors).toBeLessThanOrEqual(tensors);
    for (const y of results) y.dispose();
    batch.dispose();
    x.dispose();
    step.dispose();
    expect(device.memory().tensors).toBe(0);
  });

  test("has plans of functions that are disposed no longer than it needs them", async () => {
    const other = counter();
    await other.step();
    const x = new State(hard(2), { name: "x" });
    const step = compile(() => x.assign(add(x, sum(softmax(x)))), { mirrorEvery: 1000 });
    for (let i = 0; i < 3; i++) await step();
    const { buffers } = device.memory();
    step.dispose();
    expect(device.memory().buffers).toBeLessThan(buffers);
    await device.lose();
    await back();
    expect(news[1]).toMatchObject({ dropped: 0 });
    other.step.dispose();
    for (const state of [x, other.x]) state.dispose();
    expect(device.memory()).toMatchObject({ tensors: 0, buffers: 0 });
  });

  test("forgets states that are gone", () => {
    for (let i = 0; i < 1500; i++) new State(tensor(i)).dispose();
    expect(device.states.size).toBeLessThanOrEqual(512);
    const held = Array.from({ length: 600 }, (_, i) => new State(tensor(i)));
    expect(device.journal.states).toEqual(expect.arrayContaining(held));
  });
});
