import { beforeAll, describe, expect, test } from "vitest";
import { sizeOf } from "../../src/core/shape.ts";
import {
  add,
  type Device,
  grad,
  gradCheck,
  mul,
  randomNormal,
  square,
  sum,
  type Tensor,
} from "../../src/index.ts";
import { tables } from "../cases/tables.ts";
import { ownDevice } from "../support/device.ts";
import { type Call, draw, floats, place } from "../support/op-case.ts";

let device: Device;
beforeAll(async () => {
  device = await ownDevice({ engine: "plain" }); // the specification
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

/** The smallest of the calls that have elements to differentiate by. */
function smallest(calls: readonly Call[]): Call | undefined {
  const size = ({ inputs }: Call) => inputs.reduce((n, { shape }) => n + sizeOf(shape), 0);
  const ofFloats = calls.filter(
    (call) => hasElements(call) && floats(call, call.inputs).length > 0,
  );
  const several = ofFloats.filter((call) => size(call) > 1 + call.inputs.length);
  return (several.length > 0 ? several : ofFloats).sort((a, b) => size(a) - size(b))[0];
}

describe("second order", () => {
  for (const [name, { calls, gradient }] of tables) {
    const call = gradient === true ? smallest(calls) : undefined;
    if (!call) continue;
    test(name, async () => {
      const all = place(call, draw(call, 7), device, "f64");
      // ½ Σ y² makes slopes of slopes even where y is linear.
      const energy = weighted({ ...call, run: (...x) => square(call.run(...x)) }, all);
      const slope = (...x: Tensor[]) => {
        const gradients = grad(energy(...x), x);
        return gradients
          .map((g, i) => sum(mul(g, randomNormal(g.shape, { seed: i, dtype: "f64", device }))))
          .reduce((a, b) => add(a, b));
      };
      await gradCheck(slope, floats(call, all), { tolerance: 1e-5 });
    });
  }
});
