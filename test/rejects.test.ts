import { beforeAll, expect, test } from "vitest";
import {
  type Device,
  DTypeError,
  GradusError,
  type NestedArray,
  ShapeError,
  tensor,
} from "../src/index.ts";
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

/** Messages about dtypes are DTypeErrors, those about shapes, sizes or axes ShapeErrors. */
function classOf(message: string) {
  if (/dtype|number|to u8/.test(message.split(";")[0])) return DTypeError;
  return /low|std|seed|epsilon/.test(message) ? GradusError : ShapeError;
}

for (const [name, { rejects }] of Object.entries(cases) as [string, OpCase][]) {
  for (const [i, { run, says }] of rejects.entries()) {
    test(`${name} ${i + 1}`, () => {
      let message = "";
      try {
        run(make);
      } catch (error) {
        message = (error as Error).message;
        expect(error).toBeInstanceOf(classOf(message));
      }
      expect(message).toBe(says.replaceAll("FLOAT", "f32"));
    });
  }
}
