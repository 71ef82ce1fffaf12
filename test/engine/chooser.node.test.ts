import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { MemoryError } from "../../src/core/errors.ts";
import type { DeviceDataset } from "../../src/data/index.ts";
import { exchange } from "../../src/engine/exchange.ts";
import type { DeviceNews, Storage } from "../../src/graph/device.ts";
import {
  add,
  compile,
  type Device,
  evaluate,
  init,
  matmul,
  mul,
  State,
  setDefaultDevice,
  sum,
  tensor,
  zeros,
} from "../../src/index.ts";
import {
  accumulatedStep,
  type DeviceChosenEvent,
  fit,
  type TrainStep,
  train,
  trainStep,
} from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { bitsOf, smallRun } from "../support/small-run.ts";
import { TwoSessions } from "../support/two-sessions.ts";

let before: Device;
let plain: Device;
beforeAll(async () => {
  before = await testDevice();
  plain = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
});
afterAll(() => setDefaultDevice(before));

type Chosen = DeviceNews & { event: "deviceChosen" };

/** A device on which runs take so many milliseconds, a step of a small net on it, and what it tells. */
function begin(home: number, other: number) {
  const device = new TwoSessions(home, other);
  setDefaultDevice(device);
  const news: Chosen[] = [];
  device.listeners.add((one) => void news.push(one as Chosen));
  const run = smallRun(0.01);
  return { device, news, run, step: stepOf(run) };
}

function stepOf({ loader, ...run }: ReturnType<typeof smallRun>) {
  return trainStep({ ...run, batchAt: loader.batchAt });
}

/** Has a value be one that could not be made. */
function spoil({ node }: State): void {
  const held = { tensors: 0, plans: 0, spare: 0 };
  (node.storage as Storage).failure = new MemoryError("x: none", 1, held, {});
}

/** Makes steps, each after so many milliseconds of the user's own. */
async function steps(
  { step, device }: { step: TrainStep<never>; device: TwoSessions },
  count: number,
  own = 0.1,
) {
  for (let i = 0; i < count; i++) {
    await step();
    device.clock.now += own;
  }
}

describe("a model that trains faster in the other session", () => {
  test("goes there after a fiftieth of its time, with all values, and says so", async () => {
    const begun = begin(2, 0.1);
    const { device, news, step, run } = begun;
    const { home, other } = device;
    const x = tensor([1, 2]);
    const kept = mul(x, 3);
    const state = new State(tensor([5, 6]));
    const sums = add(kept, state);
    evaluate(kept, sums);
    await steps(begun, 200);
    expect([other.runs, news.length]).toEqual([0, 0]); // 420 ms are not yet enough
    const { tensors } = device.memory();
    await steps(begun, 60);
    expect(device.session).toBe(other);
    evaluate(x, kept, sums, state); // what lies on the host is brought when it is needed
    expect(device.memory().tensors).toBe(tensors);
    expect(news).toEqual([
      {
        event: "deviceChosen",
        kind: "cpu",
        description: other.description,
        reason: expect.stringMatching(
          /^chosen by time: plain TypeScript takes 0\.2 ms a step, plain TypeScript 2\.[01]\d* ms$/,
        ),
      },
    ]);
    expect(device.chosen).toBe(news[0].reason);
    expect(home.usage().buffers).toBe(0);
    const tried = other.runs - (step.next - home.runs);
    expect(tried).toBeGreaterThan(3);
    expect(tried * other.cost).toBeLessThan(device.clock.now / 50);
    expect([await kept.toArray(), await sums.toArray()]).toEqual([
      [3, 6],
      [8, 12],
    ]);
    const records = await step.read();
    expect(records.map((record) => record.step)).toEqual(Array.from({ length: 260 }, (_, i) => i));

    setDefaultDevice(plain);
    const straight = smallRun(0.01);
    const same = stepOf(straight);
    for (let i = 0; i < 260; i++) await same();
    expect(records).toEqual(await same.read());
    expect(await bitsOf(run)).toEqual(await bitsOf(straight));
    same.dispose();
  });

  test("stays there, and nothing is left behind when all is freed", async () => {
    const begun = begin(2, 0.1);
    const { device, step, run, news } = begun;
    await steps(begun, 1000);
    expect(device.session).toBe(device.other);
    expect([news.length, device.opened]).toEqual([1, 1]);
    expect(device.home.plans).toBe(device.home.disposed);
    expect(device.other.plans).toBe(2); // one to be tried, on copies, and one to train
    step.dispose();
    run.model.dispose();
    run.optimizer.dispose();
    (run.loader.dataset as DeviceDataset).dispose();
    expect(device.memory().tensors).toBe(0);
    expect(device.holders.size).toBe(0);
    device.dispose();
    await device.other.lost;
    expect([device.home.isDisposed, device.other.isDisposed]).toEqual([true, true]);
  });

  test("is timed without what its user does between steps, and without pauses", async () => {
    const slow = begin(2, 0.1);
    await steps(slow, 100, 50); // the batches take longer than any step
    expect(slow.device.session).toBe(slow.device.home);
    const paused = begin(2, 0.1);
    for (let i = 0; i < 50; i++) {
      await steps(paused, 10);
      paused.device.clock.now += 10_000;
    }
    expect(paused.device.session).toBe(paused.device.other);
  });

  test("goes back where the promise does not hold", async () => {
    const begun = begin(2, 0.1);
    const { device, news } = begun;
    await steps(begun, 260);
    expect(device.session).toBe(device.other);
    device.other.cost = 5;
    await steps(begun, 500);
    expect(device.session).toBe(device.home);
    expect(news[1].reason).toMatch(
      /^chosen by time: plain TypeScript took 2\.\d* ms a step, plain/,
    );
    const { runs } = device.other;
    await steps(begun, 1500);
    expect([device.other.runs, news.length]).toEqual([runs, 2]);
  });

  test("goes back where other states begin to be trained, which are timed with it", async () => {
    const begun = begin(2, 0.1);
    const { device, news } = begun;
    await steps(begun, 500);
    expect(device.session).toBe(device.other);
    const other = stepOf(smallRun(0.01));
    await other();
    expect(device.session).toBe(device.home);
    expect(news[1].reason).toMatch(/is to be measured with what else is trained now$/);
    for (let i = 0; i < 200; i++) {
      await steps(begun, 1);
      await other();
    }
    expect(device.session).toBe(device.other);
    expect(news.length).toBe(3);
  });
});

test("where it cannot go back for other states, it tries once and stays", async () => {
  const begun = begin(2, 0.1);
  const { device, news } = begun;
  await steps(begun, 500);
  const spoiled = new State(tensor([1]));
  evaluate(spoiled);
  spoil(spoiled);
  const other = { device, step: stepOf(smallRun(0.01)) };
  const check = vi.spyOn(device.home, "check");
  await steps(other, 20);
  expect([device.session, news.length]).toEqual([device.other, 1]);
  expect(check).toHaveBeenCalledTimes(1);
});

test("gradients that are summed up, and applied at the end of an epoch, are one model's", async () => {
  const { device, news, run } = begin(2, 0.1);
  const { loader, ...rest } = run;
  const step = accumulatedStep({ ...rest, batchAt: loader.batchAt, accumulate: 3 });
  for (let epoch = 0; epoch < 50; epoch++) {
    await steps({ device, step }, 10);
    await step.flush();
  }
  expect(device.session).toBe(device.other);
  expect(news.length).toBe(1);
});

describe("a model that trains no faster there", () => {
  test("stays, and is tried at most three times", async () => {
    const begun = begin(2, 3);
    const { device, news } = begun;
    await steps(begun, 3500);
    expect(device.session).toBe(device.home);
    expect(device.other.plans).toBeLessThanOrEqual(3);
    expect(device.other.plans).toBe(device.other.disposed);
    expect(news.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(
        /^chosen by time: plain TypeScript takes 2\.\d* ms a step, .* 3\.1 ms$/,
      ),
    ]);
    expect(device.other.mostShare).toBeLessThanOrEqual(1 / 50);
  });

  test("stays where it would be little faster", async () => {
    const begun = begin(2, 1.9);
    await steps(begun, 3500);
    expect(begun.device.other.runs).toBeGreaterThan(0);
    expect(begun.device.session).toBe(begun.device.home);
  });

  test("leaves nothing in the other session, where runs give results too", async () => {
    const device = new TwoSessions(2, 3);
    setDefaultDevice(device);
    const w = new State(zeros([3]));
    const step = compile(() => {
      w.assign(add(w, 1));
      return sum(w);
    });
    for (let i = 0; i < 400; i++) (await step()).dispose();
    expect(device.other.runs).toBeGreaterThan(0);
    device.other.trim();
    expect(device.other.usage().buffers).toBe(0);
    expect(await w.toArray()).toEqual([400, 400, 400]);
  });

  test("is not tried where a core could not do it in that time", async () => {
    const device = new TwoSessions(0.1, 1);
    device.home.isIdle = true;
    setDefaultDevice(device);
    const w = new State(zeros([400, 400]));
    const step = compile(() => w.assign(matmul(w, w)), { mirrorEvery: 1000 });
    for (let i = 0; i < 3000; i++) await step();
    expect(device.chosen).toMatch(/does more in a step than the CPU could$/);
    expect([device.opened, device.other.runs]).toEqual([0, 0]);
  });

  test("stays where the other session is not to be had, or refuses the program", async () => {
    const without = begin(2, 0.1);
    without.device.isAlone = true;
    await steps(without, 300);
    expect(without.device.session).toBe(without.device.home);
    expect([without.device.opened, without.device.journal.chooser]).toEqual([1, null]);
    const refusing = begin(2, 0.1);
    const { device } = refusing;
    const compiled = vi.spyOn(device.other, "compile").mockImplementation(() => {
      throw new RangeError("no room");
    });
    await steps(refusing, 1000);
    expect([device.session, device.chosen]).toEqual([device.home, null]);
    expect(compiled).toHaveBeenCalledTimes(1);
  });
});

describe("exchange", () => {
  test("takes all values or none, also of those that change meanwhile", async () => {
    const { device } = begin(1, 1);
    const [a, b] = [new State(zeros([2])), new State(tensor([1, 2]))];
    evaluate(a, b);
    let reads = 0;
    device.home.onRead = () => {
      if (++reads === 1) b.assign(tensor([7, 8]));
    };
    expect(await exchange(device, device.other)).toBe(true);
    expect(reads).toBe(2);
    expect([await a.toArray(), await b.toArray()]).toEqual([
      [0, 0],
      [7, 8],
    ]);
    evaluate(a, b);
    device.other.onRead = () => b.assign(add(b, 1));
    expect(await exchange(device, device.home)).toBe(false);
    expect(device.session).toBe(device.other);
    expect(await b.toArray()).toEqual([10, 11]); // it was tried three times
  });

  test("leaves values where they are that are spoiled", async () => {
    const { device } = begin(1, 1);
    const x = new State(tensor([1]));
    evaluate(x);
    spoil(x);
    expect(await exchange(device, device.other)).toBe(false);
    expect(device.session).toBe(device.home);
  });

  test("frees values that the collector has found, once", async () => {
    const { device } = begin(1, 1);
    const x = sum(tensor([1, 2]));
    evaluate(x);
    const [[storage]] = [...device.holders].slice(-1);
    device.holders.set(storage, { deref: () => undefined } as WeakRef<never>);
    expect(await exchange(device, device.other)).toBe(true);
    expect([device.home.usage().buffers, device.memory().tensors]).toEqual([0, 1]);
    device.release(storage); // as the collector's callback does
    expect(device.memory().tensors).toBe(0);
    expect(device.other.usage().buffers).toBe(0);
  });

  test("guards states again when they come back to what can be lost", async () => {
    const { device } = begin(1, 1);
    device.journal.open(10);
    const x = new State(tensor([1, 2]));
    evaluate(x);
    await exchange(device, device.other);
    expect(x.node.lineage).toBeNull(); // nothing is lost here
    expect([device.journal.isOn, device.states.size]).toEqual([false, 0]);
    const later = new State(tensor([3]));
    evaluate(later, x);
    await exchange(device, device.home);
    expect(device.journal.isOn).toBe(true);
    expect(new Set(device.journal.states)).toEqual(new Set([x, later]));
  });
});

test("train and fit tell where training goes on", async () => {
  const events: DeviceChosenEvent[] = [];
  const one = begin(20, 0.1);
  for await (const event of train({ ...one.run, epochs: 10 })) {
    if (event.event === "deviceChosen") events.push(event);
  }
  expect(events).toEqual([
    expect.objectContaining({ event: "deviceChosen", kind: "cpu", epoch: expect.any(Number) }),
  ]);
  const two = begin(20, 0.1);
  const heard: DeviceChosenEvent[] = [];
  await fit({
    ...two.run,
    epochs: 10,
    callbacks: [{ onDeviceChosen: (event) => void heard.push(event) }],
  });
  expect(heard).toEqual([expect.objectContaining({ reason: two.device.chosen })]);
});
