import { afterEach, beforeAll, expect, test } from "vitest";
import { namesOf } from "../../src/graph/device.ts";
import { beginMove } from "../../src/graph/move.ts";
import {
  arange,
  assignAll,
  type Device,
  DeviceError,
  DTypeError,
  evaluate,
  GradusError,
  Parameter,
  State,
  setDefaultDevice,
  tensor,
  zeros,
} from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterEach(() => setDefaultDevice(device));

/** A device of which nothing is known but its dtypes. */
const narrow = { kind: "narrow", dtypes: new Set(["f32", "i32"]), check() {} } as unknown as Device;

test("without a default device a tensor says what to do", () => {
  setDefaultDevice(null);
  const says = "device: none yet; expected `await init()` before the first tensor";
  expect(() => zeros([1])).toThrow(new DeviceError(says));
  expect(zeros([1], { device }).device).toBe(device);
});

test.each([
  ["cpu", '"cpu"'],
  [null, "null"],
  [{}, "an object"],
  [{ check: true }, "an object"],
])("%j is no device", (given, described) => {
  const rule = "expected one that init gave, as (await init()).device";
  const error = (op: string) => new DeviceError(`${op}: device ${described}; ${rule}`);
  expect(() => zeros([1], { device: given as never })).toThrow(error("zeros"));
  if (given === null) return;
  expect(() => setDefaultDevice(given as never)).toThrow(error("setDefaultDevice"));
});

test("a dtype that a device lacks, or that is none, is refused", () => {
  expect(() => zeros([1], { device: narrow, dtype: "f64" })).toThrow(
    new DTypeError(
      "zeros: dtype f64 on narrow; expected one of f32, i32. Use the cpu device, which has it",
    ),
  );
  expect(() => zeros([1], { device: narrow, dtype: "float32" as never })).toThrow(
    new DTypeError('zeros: dtype "float32"; expected one of f32, i32. Did you mean "f32"?'),
  );
});

test("what is moved to a device has a dtype that it has", async () => {
  const others = [tensor([1]), tensor([2], { dtype: "f64" })];
  const says = (what: string) =>
    new DTypeError(`to: ${what} has dtype f64; expected one of f32, i32, which narrow has`);
  await expect(others[1].to(narrow)).rejects.toThrow(says("x"));
  const states = others.map((x, i) => new State(x, { name: `w${i}` }));
  await expect(beginMove(false).moveStates(states, narrow, [])).rejects.toThrow(says('"w1"'));
  expect(await Promise.all(states.map((state) => state.toArray()))).toEqual([[1], [2]]);
});

test("devices are told apart by their numbers where some are of one kind", () => {
  const [a, b, c] = [
    { kind: "webgpu", number: 1 },
    { kind: "webgpu", number: 3 },
    { kind: "cpu", number: 2 },
  ] as Device[];
  expect(namesOf([a, c])).toEqual(["webgpu", "cpu"]);
  expect(namesOf([a, b])).toEqual(["webgpu 1", "webgpu 3"]);
  expect(namesOf([a, c, b])).toEqual(["webgpu 1", "cpu 2", "webgpu 3"]);
});

test("a state takes a tensor, and the value of its own shape and dtype", async () => {
  for (const [Kind, name] of [
    [State, "State"],
    [Parameter, "Parameter"],
  ] as const) {
    expect(() => new Kind([1, 2] as never)).toThrow(
      new GradusError(`${name}: input 0 is an array; expected a tensor. Use tensor(value)`),
    );
    const w = new Kind(tensor([1, 2]));
    expect(w.name).toBe(name.toLowerCase());
    expect(() => w.assign(tensor([1, 2], { dtype: "i32" }))).toThrow(
      new DTypeError(
        `assign: "${w.name}" has dtype f32, the value i32; ` +
          "expected the same dtype. cast the value",
      ),
    );
    expect(await w.toArray()).toEqual([1, 2]);
  }
  expect(new Parameter(tensor(1)).trainable).toBe(true);
});

test("the console shows six values, and tells that there are more", () => {
  const [six, seven] = [arange(6), arange(7)];
  evaluate(six, seven);
  expect(six.preview).toBe("Tensor([6], f32, cpu) [0, 1, 2, 3, 4, 5]");
  expect(seven.preview).toBe("Tensor([7], f32, cpu) [0, 1, 2, 3, 4, 5, …]");
  const large = tensor([12345678], { dtype: "i32" });
  expect(large.preview).toBe("Tensor([1], i32, cpu) [12345678]");
  const exact = tensor([1 / 3], { dtype: "f64" });
  expect(exact.preview).toBe("Tensor([1], f64, cpu) [0.3333333333333333]");
});

test("methods are the ops of their names", async () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const results = [
    x.neg(),
    x.add(1),
    x.sub(1),
    x.mul(2),
    x.div(2),
    x.matmul(x),
    x.sum({ axis: 0 }),
    x.mean({ axis: 1, keepDims: true }),
    x.reshape([4]),
    x.transpose(1, 0),
    x.transpose(),
  ];
  expect(await Promise.all(results.map((y) => y.data().then((data) => [...data])))).toEqual([
    [-1, -2, -3, -4],
    [2, 3, 4, 5],
    [0, 1, 2, 3],
    [2, 4, 6, 8],
    [0.5, 1, 1.5, 2],
    [7, 10, 15, 22],
    [4, 6],
    [1.5, 3.5],
    [1, 2, 3, 4],
    [1, 3, 2, 4],
    [1, 3, 2, 4],
  ]);
  expect(results[7].shape).toEqual([2, 1]);
});

test.each(["data", "toArray", "item", "print"] as const)(
  "%s says what it could not read",
  async (name) => {
    const x = tensor([1]);
    const y = x.add(1);
    x.dispose();
    x.dispose();
    await expect(y[name]()).rejects.toThrow(
      `${name}: depends on a tensor that was disposed; evaluate it before disposing`,
    );
  },
);

test("no pairs are assigned at once", () => {
  expect(() => assignAll([])).not.toThrow();
  expect(() => assignAll([[1, 2]] as never)).toThrow(
    "assignAll: pair 0 an array; expected [State, value]",
  );
});

test("only tensors are evaluated", () => {
  expect(() => evaluate(zeros([1]), 5 as never)).toThrow(
    new GradusError("evaluate: input 1 is 5; expected a tensor. Use tensor(value)"),
  );
});
