import { beforeAll, expect, test } from "vitest";
import {
  add,
  compile,
  type Device,
  full,
  GradusError,
  nonzero,
  type Tensor,
  tensor,
  transpose,
  unique,
} from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

async function found(x: Tensor) {
  const { values, indices, counts, first } = await unique(x);
  expect([indices, counts, first].map(({ dtype }) => dtype)).toEqual(["i32", "i32", "i32"]);
  expect(values.dtype).toBe(x.dtype);
  expect(values.device).toBe(device);
  return Promise.all([values, indices, counts, first].map((y) => y.toArray()));
}

test("unique finds each element once, in order", async () => {
  const x = tensor([
    [3, 1, 3],
    [-2, 1, 3],
  ]);
  const places = [
    [2, 1, 2],
    [0, 1, 2],
  ];
  expect(await found(x)).toEqual([[-2, 1, 3], places, [1, 2, 3], [3, 1, 0]]);
  expect(await found(add(x, 1))).toEqual([[-1, 2, 4], places, [1, 2, 3], [3, 1, 0]]);
  expect(await found(transpose(x))).toEqual([
    [-2, 1, 3],
    [
      [2, 0],
      [1, 1],
      [2, 2],
    ],
    [1, 2, 3],
    [1, 2, 0],
  ]);
});

test("unique takes NaN for one element, 0 and −0 for another", async () => {
  const { NaN: N, POSITIVE_INFINITY: INF } = Number;
  const x = tensor([N, 0, INF, -0, N, -INF]);
  expect(await found(x)).toEqual([
    [-INF, 0, INF, N],
    [3, 1, 2, 1, 3, 0],
    [1, 2, 1, 2],
    [5, 1, 2, 0],
  ]);
});

test("unique takes every dtype and size", async () => {
  expect(await found(tensor([true, false, true]))).toEqual([
    [0, 1],
    [1, 0, 1],
    [1, 2],
    [1, 0],
  ]);
  const whole = tensor([2 ** 31 - 1, -(2 ** 31), -1], { dtype: "i32" });
  expect((await found(whole)).slice(0, 2)).toEqual([
    [-(2 ** 31), -1, 2 ** 31 - 1],
    [2, 0, 1],
  ]);
  const words = tensor([2 ** 32 - 1, 9, 10], { dtype: "u32" });
  expect((await found(words))[0]).toEqual([9, 10, 2 ** 32 - 1]);
  expect(await found(tensor([]))).toEqual([[], [], [], []]);
  expect(await found(tensor(7))).toEqual([[7], 0, [1], [0]]);
});

test("nonzero finds the places of what is not 0, in row-major order", async () => {
  const x = tensor([
    [
      [0, Number.NaN],
      [-0, 2],
    ],
    [
      [0, 0],
      [-1, 0],
    ],
  ]);
  const y = await nonzero(x);
  expect([y.dtype, y.shape, y.device]).toEqual(["i32", [3, 3], device]);
  expect(await y.toArray()).toEqual([
    [0, 0, 1],
    [0, 1, 1],
    [1, 1, 0],
  ]);
  expect(await (await nonzero(transpose(tensor([[0, 5, 6]])))).toArray()).toEqual([
    [1, 0],
    [2, 0],
  ]);
  expect(await (await nonzero(tensor([false, true]))).toArray()).toEqual([[1]]);
});

test.each([
  [() => tensor(3), [1, 0]],
  [() => tensor(0), [0, 0]],
  [() => full([2, 0, 3], 1), [0, 3]],
  [() => full([2, 3], 0), [0, 2]],
] as const)("nonzero gives [count, rank] where one of them is 0 (%#)", async (make, shape) => {
  const y = await nonzero(make());
  expect(y.shape).toEqual(shape);
  expect(await y.data()).toHaveLength(0);
});

test.each([
  ["unique", unique],
  ["nonzero", nonzero],
] as const)(
  "%s refuses what it does not take, and to read in a compiled function",
  async (name, f) => {
    const call = f as (...given: unknown[]) => Promise<unknown>;
    await expect(call([1, 2])).rejects.toThrow(GradusError);
    await expect(call(tensor([1]), { axis: 0 })).rejects.toThrow(
      `${name}: an object too much; expected ${name}(x)`,
    );
    let refusal: unknown;
    const compiled = compile((x: Tensor) => {
      f(x).catch((error: unknown) => {
        refusal = error;
      });
      return add(x, 1);
    });
    await compiled(tensor([1]));
    expect(refusal).toBeInstanceOf(GradusError);
    expect((refusal as Error).message).toContain(
      `${name}: called in a function that is being compiled; expected no reads there`,
    );
  },
);
