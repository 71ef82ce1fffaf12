import { beforeAll, expect, test } from "vitest";
import { type Device, GradusError, type NestedArray, tensor } from "../src/index.ts";
import { cases } from "./cases.ts";
import { testDevice } from "./support/device.ts";
import type { Make, OpCase } from "./support/op-case.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const make: Make = (values, dtype = "f32") => {
  const bool = Array.isArray(values) && typeof values[0] === "boolean";
  return tensor(values as NestedArray, { device, dtype: bool ? "bool" : dtype });
};

for (const [name, { rejects }] of Object.entries(cases) as [string, OpCase][]) {
  for (const [i, { run, says }] of rejects.entries()) {
    test(`${name} ${i + 1}`, () => {
      let message = "";
      try {
        run(make);
      } catch (error) {
        expect(error).toBeInstanceOf(GradusError);
        message = (error as Error).message;
      }
      expect(message).toBe(says.replaceAll("FLOAT", "f32"));
    });
  }
}
