import { beforeAll, expect, test } from "vitest";
import { hasMultiplyAdd } from "../../../src/devices/cpu/compiled/simd-level.ts";
import { trace } from "../../../src/engine/program.ts";
import { type Device, init, tensor } from "../../../src/index.ts";
import {
  functions,
  inputsOf,
  promised,
  samples,
  worstError,
} from "../../support/function-errors.ts";
import { vectorStep } from "../../support/vector-step.ts";

let device: Device;
beforeAll(async () => {
  device = (await init({ device: "cpu", isolated: true })).device;
});

/** What the code of a function gives of numbers. */
function compiled(name: string, inputs: readonly Float32Array[], isFused: boolean) {
  const [x, y = x] = inputs.map((values) => tensor(values, { device }));
  const { node } = functions[name].of(x, y);
  const { steps } = trace([node], name).program;
  const step = steps[steps.length - 1];
  const types = step.inputs.map((input) => steps[input]);
  return { node, found: vectorStep(step, types, isFused)(inputs) };
}

const LEVELS = hasMultiplyAdd() ? [false, true] : [false];

test.each(Object.keys(functions))("%s lies as near to float64 as docs/numerics.md says", (name) => {
  for (const isFused of LEVELS) {
    for (const set of samples(3).keys()) {
      const inputs = inputsOf(functions[name], set);
      const { node, found } = compiled(name, inputs, isFused);
      const worst = worstError(node, functions[name], inputs, found);
      expect(worst, `${name}, set ${set}, ${isFused}`).toBeLessThan(promised(name).cpu);
    }
  }
});

test("angles beyond all precision have sines between -1 and 1", () => {
  const x = Float32Array.from([3.4e38, -3.4e38, 1e20, Number.POSITIVE_INFINITY]);
  for (const name of ["sin", "cos"]) {
    const { found: y } = compiled(name, [x], false);
    for (const value of y.slice(0, 3)) expect(Math.abs(value)).toBeLessThanOrEqual(1);
    expect(y[3]).toBe(Number.NaN);
  }
});
