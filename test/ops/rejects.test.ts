import { beforeAll, expect, test } from "vitest";
import { type Device, type NestedArray, tensor } from "../../src/index.ts";
import { tables } from "../cases/tables.ts";
import { testDevice } from "../support/device.ts";
import { errorOf, type Make } from "../support/op-case.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const make: Make = (values, dtype = "f32") => {
  const bool = Array.isArray(values) && typeof values[0] === "boolean";
  return tensor(values as NestedArray, { device, dtype: bool ? "bool" : dtype });
};

for (const [name, { rejects }] of tables) {
  for (const [i, reject] of rejects.entries()) {
    test(`${name} ${i + 1}`, () => {
      let error: unknown;
      try {
        reject.run(make);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(Error);
      expect((error as Error).message).toBe(reject.says.replaceAll("FLOAT", "f32"));
      expect((error as Error).constructor).toBe(errorOf(reject));
    });
  }
}
