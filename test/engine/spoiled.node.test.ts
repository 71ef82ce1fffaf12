import { afterAll, beforeAll, expect, test } from "vitest";
import { MemoryError } from "../../src/core/errors.ts";
import type { Storage } from "../../src/graph/device.ts";
import {
  add,
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
  setDefaultDevice(device);
});
afterAll(() => setDefaultDevice(before));

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
