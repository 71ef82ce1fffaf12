import { beforeAll, expect, test } from "vitest";
import { TensorDataset } from "../../src/data/index.ts";
import {
  add,
  assignAll,
  compile,
  type Device,
  DeviceError,
  greater,
  init,
  matmul,
  memory,
  Parameter,
  State,
  type Tensor,
  tensor,
  where,
} from "../../src/index.ts";
import { SGD } from "../../src/optim/index.ts";

let first: Device;
let second: Device;
beforeAll(async () => {
  first = (await init({ device: "cpu" })).device;
  second = (await init({ device: "cpu", isolated: true })).device;
});

const on = (device: Device) => tensor([[1, 2], [3, 4]], { device }); // biome-ignore format: a matrix

const rows: [string, (a: Tensor, b: Tensor) => unknown, string][] = [
  ["add", (a, b) => add(a, b), "add: input 0 lives on ONE, input 1 on TWO; expected one device"],
  [
    "a method",
    (a, b) => a.mul(b),
    "mul: input 0 lives on ONE, input 1 on TWO; expected one device",
  ],
  [
    "the third input",
    (a, b) => where(greater(a, 0), a, b),
    "where: input 0 lives on ONE, input 2 on TWO; expected one device",
  ],
  [
    "matmul",
    (a, b) => matmul(b, a),
    "matmul: input 0 lives on TWO, input 1 on ONE; expected one device",
  ],
  [
    "assign",
    (a, b) => new Parameter(a, { name: "w" }).assign(b),
    'assign: "w" lives on ONE, the value on TWO; expected one device',
  ],
  [
    "assignAll",
    (a, b) => {
      const pair = (x: Tensor, name: string) => [new State(x, { name }), x] as const;
      assignAll([pair(a, "s"), pair(b, "t")]);
    },
    'assign: "t" lives on TWO, another state on ONE; expected one device',
  ],
  [
    "TensorDataset",
    (a, b) => new TensorDataset({ a, b }),
    "TensorDataset: a on ONE, b on TWO; expected one device",
  ],
  [
    "a schedule",
    (a, b) => new SGD([new Parameter(a)], { learningRate: () => b.reshape([4]).sum() }),
    "SGD: learningRate gives Tensor([], f32, cpu) on TWO; " +
      "expected a scalar as the step is: Tensor([], f32, ONE)",
  ],
];
for (const [title, run, message] of rows) {
  test(`two devices of one kind are told apart: ${title}`, () => {
    const [a, b] = [on(first), on(second)];
    const text = message.replaceAll("ONE", `cpu ${first.number}`);
    expect(() => run(a, b)).toThrow(text.replaceAll("TWO", `cpu ${second.number}`));
    expect(first.number).not.toBe(second.number);
  });
}

test("a compiled function names the devices of its arguments", async () => {
  const f = compile((a: Tensor, b: Tensor) => [a, b]);
  await expect(f(on(first), on(second))).rejects.toThrow(
    new DeviceError(
      `compile: tensors and states on cpu ${first.number} and cpu ${second.number}; ` +
        "expected all on one",
    ),
  );
  await expect(compile(() => {})()).rejects.toThrow("compile: tensors and states on no device");
});

test("a tensor's device is what init gives", () => {
  const { device } = on(second);
  const same: Device = device;
  expect(same).toBe(second);
  expect(device.memory()).toEqual(memory(second));
});
