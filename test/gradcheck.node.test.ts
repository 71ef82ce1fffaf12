import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  type Device,
  grad,
  gradCheck,
  mul,
  randomNormal,
  sum,
  type Tensor,
} from "../src/index.ts";
import { cases } from "./cases.ts";
import { testDevice } from "./support/device.ts";
import { type Call, draw, floats, type OpCase, place } from "./support/op-case.ts";
import { tables } from "./tables.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

/** A scalar of the call's result, weighted at random, as a function of the float inputs. */
function weighted(call: Call, all: readonly Tensor[]): (...x: Tensor[]) => Tensor {
  return (...x) => {
    const rest = [...x];
    const inputs = all.map((given, i) =>
      (call.inputs[i].dtype ?? "f32") === "f32" ? (rest.shift() as Tensor) : given,
    );
    const y = call.run(...inputs);
    return sum(mul(y, randomNormal(y.shape, { seed: 9, dtype: "f64", device })));
  };
}

const hasElements = ({ inputs }: Call) => inputs.every(({ shape }) => !shape.includes(0));

for (const [name, { calls, gradient }] of tables) {
  if (gradient !== true) continue;
  describe(name, () => {
    let slopes = 0;
    for (const [i, call] of calls.entries()) {
      if (floats(call, call.inputs).length === 0 || !hasElements(call)) continue;
      test(`call ${i + 1}`, async () => {
        const all = place(call, draw(call, 100 + i), device, "f64");
        const results = await gradCheck(weighted(call, all), floats(call, all));
        slopes += results.filter(({ analytic }) => analytic !== 0).length;
      });
    }
    test("some slope is not zero", () => expect(slopes).toBeGreaterThan(0));
  });
}

describe("second order", () => {
  for (const name of [
    "exp",
    "sigmoid",
    "tanh",
    "pow",
    "mul",
    "div",
    "matmul",
    "softmax",
  ] as const) {
    test(name, async () => {
      const call = (cases[name] as OpCase).calls.find(
        (c) =>
          c.inputs.every(({ shape }) => shape.length > 0 && !shape.includes(0)) &&
          c.inputs.length > 0,
      ) as Call;
      const all = place(call, draw(call, 7), device, "f64");
      const slope = (...x: Tensor[]) => {
        const gradients = grad(weighted(call, all)(...x), x);
        return gradients
          .map((g, i) => sum(mul(g, randomNormal(g.shape, { seed: i, dtype: "f64", device }))))
          .reduce((a, b) => add(a, b));
      };
      await gradCheck(slope, floats(call, all), { tolerance: 1e-5 });
    });
  }
});
