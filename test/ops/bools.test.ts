import { beforeAll, expect, test } from "vitest";
import {
  cast,
  concat,
  type Device,
  evaluate,
  full,
  gather,
  greater,
  logicalNot,
  pad,
  State,
  sum,
  type Tensor,
  tensor,
  transpose,
  where,
  writeAt,
} from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const bytes = () => tensor(Uint8Array.of(2, 0, 255, 1, 0, 7), { dtype: "bool", device });
const none = () => full([6], 0, { dtype: "bool", device });
const ints = (...values: number[]) => tensor(Int32Array.from(values), { device });

/** Bools, however they came to be, and what they must hold. */
const rows: Record<string, [() => Tensor, number[]]> = {
  "bytes other than 0 and 1": [() => where(bytes(), bytes(), none()), [1, 0, 1, 1, 0, 1]],
  "their negation": [() => logicalNot(bytes()), [0, 1, 0, 0, 1, 0]],
  gather: [() => gather(bytes(), ints(5, 1, 6, -1)), [1, 0, 0, 0]],
  writeAt: [
    () =>
      writeAt(
        bytes(),
        tensor(1, { dtype: "u32", device }),
        cast(tensor(Number.NaN, { device }), "bool"),
      ),
    [1, 1, 1, 1, 0, 1],
  ],
  "pad and concat": [
    () => concat([pad(bytes(), [[1, 0]], { value: 3 }), full([2], 9, { dtype: "bool", device })]),
    [1, 1, 0, 1, 1, 0, 1, 1, 1],
  ],
  "a cast of floats": [
    () => cast(tensor([0.25, -0, 0, -3, Infinity, Number.NaN], { device }), "bool"),
    [1, 0, 0, 1, 1, 1],
  ],
  "a cast of bytes": [() => cast(tensor(Uint8Array.of(0, 2, 255), { device }), "bool"), [0, 1, 1]],
  "a view": [
    () => transpose(tensor(Uint8Array.of(4, 0, 1, 8), { shape: [2, 2], dtype: "bool", device })),
    [1, 1, 0, 1],
  ],
  "a comparison": [() => greater(tensor([3, 1, 2], { device }), 1), [1, 0, 1]],
};

for (const [name, [make, expected]] of Object.entries(rows)) {
  test(name, async () => {
    const total = sum(cast(make(), "f32"));
    const y = make();
    evaluate(y, total);
    expect([...(await y.data())]).toEqual(expected);
    expect(await total.item()).toBe(expected.reduce((a, b) => a + b, 0));
  });
}

test("a state that is assigned bytes", async () => {
  const state = new State(bytes(), { name: "flags" });
  expect([...(await state.data())]).toEqual([1, 0, 1, 1, 0, 1]);
  state.assign(tensor(Uint8Array.of(9, 9, 0, 0, 0, 9), { dtype: "bool", device }));
  expect(await sum(cast(state, "f32")).item()).toBe(3);
  expect([...(await state.data())]).toEqual([1, 1, 0, 0, 0, 1]);
});
