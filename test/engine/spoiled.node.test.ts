import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { MemoryError } from "../../src/core/errors.ts";
import type { Storage } from "../../src/graph/device.ts";
import {
  add,
  assignAll,
  compile,
  type Device,
  evaluate,
  State,
  setDefaultDevice,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { testDevice } from "../support/device.ts";
import { TwoSessions } from "../support/two-sessions.ts";

let before: Device;
let device: TwoSessions;
beforeAll(async () => {
  before = await testDevice();
  device = new TwoSessions(1, 1); // at home, values can be lost, as on a GPU
  Object.assign(device, { journal: null }); // which would wait for news of a loss
  setDefaultDevice(device);
});
afterAll(() => setDefaultDevice(before));
afterEach(() => vi.restoreAllMocks());

const failure = new MemoryError("x: no room", 1, { tensors: 0, plans: 0, spare: 0 }, {});

/** Has what the device holds for a value be something that could not be made. */
function spoil({ node }: Pick<Tensor, "node">): void {
  (node.storage as Storage).failure = failure;
}

test("what a spoiled value was sent from is sent again, where it is read and where it is used", async () => {
  const [x, y] = [tensor([1, 2]), tensor([3, 4])];
  evaluate(x, y);
  const { tensors } = device.memory();
  const mark = device.counters.now;
  spoil(x);
  const both = add(x, y);
  expect(await both.toArray()).toEqual([4, 6]);
  both.dispose();
  expect(x.node.storage?.failure).toBeFalsy();
  expect(device.counters.since(mark).writes).toBe(1);
  spoil(y);
  expect(await y.toArray()).toEqual([3, 4]);
  expect(device.memory().tensors).toBe(tensors);
});

test("a spoiled state, and what was computed, throw what spoiled them", async () => {
  const [state, other] = [new State(tensor([1, 2])), tensor([5, 6])];
  const computed = add(state, other);
  evaluate(state, other, computed);
  spoil(state);
  await expect(state.toArray()).rejects.toBe(failure);
  expect(() => evaluate(add(state, 1))).toThrow(failure);
  spoil(computed);
  expect(() => evaluate(add(computed, 1))).toThrow(failure);
  state.assign(tensor([7, 8]));
  expect(await state.toArray()).toEqual([7, 8]);
});

describe("a read for which there was no room", () => {
  /** Has so many reads find no room, and what is read not be there. */
  const failReads = (times: number) => {
    const download = vi.spyOn(device.home, "download");
    for (let i = 0; i < times; i++) {
      download.mockImplementationOnce(async (wanted) => {
        for (const { storage } of wanted) storage.failure = failure;
        throw failure;
      });
    }
    return download;
  };

  test("is tried once more, with what it computed and sent made anew", async () => {
    const [x, y] = [tensor([1, 2]), tensor([3, 4])];
    const both = add(x, y);
    const { tensors } = device.memory();
    const download = failReads(1);
    expect(await both.toArray()).toEqual([4, 6]);
    expect(download).toHaveBeenCalledTimes(2);
    expect(device.memory().tensors).toBe(tensors + 3);
  });

  test("fails with that error when there is none again, and may be tried later", async () => {
    const x = tensor([1, 2]);
    const sum = add(x, 1);
    failReads(2);
    await expect(sum.toArray()).rejects.toBe(failure);
    expect(await sum.toArray()).toEqual([2, 3]);
    vi.spyOn(device.home, "download").mockRejectedValueOnce(new TypeError("of another kind"));
    await expect(add(sum, 1).toArray()).rejects.toThrow("of another kind");
  });

  test("leaves alone what was there before and did not fail", async () => {
    const [kept, fresh] = [add(tensor([1]), 1), add(tensor([5]), 1)];
    evaluate(kept);
    const { storage } = kept.node;
    const run = vi.spyOn(device.home, "download").mockRejectedValueOnce(failure);
    expect(await Promise.all([kept.toArray(), fresh.toArray()])).toEqual([[2], [6]]);
    expect(kept.node.storage).toBe(storage);
    expect(run.mock.calls.length).toBeGreaterThanOrEqual(2);
  });
});

describe("states", () => {
  test("are all spoiled where assigning one of them fails half-way, until they are assigned", async () => {
    const states = [1, 2, 3].map((value) => new State(tensor([value])));
    evaluate(...states);
    const overwrite = vi.spyOn(device.home, "overwrite");
    overwrite.mockImplementationOnce(() => {});
    overwrite.mockImplementationOnce(() => {
      throw failure;
    });
    expect(() => assignAll(states.map((state) => [state, tensor([9])]))).toThrow(failure);
    for (const state of states) await expect(state.toArray()).rejects.toBe(failure);
    assignAll(states.map((state, i) => [state, tensor([i])]));
    expect(await Promise.all(states.map((state) => state.toArray()))).toEqual([[0], [1], [2]]);
  });

  test("are what they were where an assignment is refused", async () => {
    const states = [1, 2].map((value) => new State(tensor([value])));
    evaluate(...states);
    vi.spyOn(device.home, "overwrite").mockImplementationOnce(() => {
      throw new RangeError("refused");
    });
    expect(() => assignAll(states.map((state) => [state, tensor([9])]))).toThrow("refused");
    expect(await Promise.all(states.map((state) => state.toArray()))).toEqual([[1], [2]]);
  });

  test("that are spoiled and only written by a compiled function are written", async () => {
    const [state, read] = [new State(tensor([1, 2])), new State(tensor([3, 4]))];
    const write = compile(() => {
      state.assign(add(read, 1));
    });
    await write();
    spoil(state);
    await write();
    expect(await state.toArray()).toEqual([4, 5]);
    spoil(read);
    await expect((async () => write())()).rejects.toBe(failure);
    read.assign(tensor([5, 6]));
    await write();
    expect(await state.toArray()).toEqual([6, 7]);
  });
});

test("constants of a compiled function outlive it on the host", async () => {
  let kept: Tensor | undefined;
  const f = compile((x: Tensor) => {
    kept ??= tensor([10, 20]);
    return add(x, kept);
  });
  const y = await f(tensor([1, 2]));
  expect(await y.toArray()).toEqual([11, 22]);
  f.dispose();
  expect(kept?.node.storage).toBeFalsy();
  expect(await kept?.toArray()).toEqual([10, 20]);
});
