import { beforeAll, describe, expect, test } from "vitest";
import type { DType } from "../../src/core/dtype.ts";
import { type Device, init, type NestedArray, tensor } from "../../src/index.ts";
import { tables } from "../cases/tables.ts";
import { inBrowser, testDevice } from "../support/device.ts";
import type { Make } from "../support/op-case.ts";

let device: Device;
let plain: Device;
beforeAll(async () => {
  device = await testDevice();
  if (!inBrowser) plain = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
});

function expectNear(actual: NestedArray, expected: NestedArray, relative: number): void {
  if (Array.isArray(expected)) {
    expect(Array.isArray(actual) && actual.length).toBe(expected.length);
    expected.forEach((item, i) => {
      expectNear((actual as NestedArray[])[i], item, relative);
    });
  } else if (!Number.isFinite(expected)) expect(actual).toBe(expected);
  else {
    const error = Math.abs((actual as number) - expected);
    expect(error).toBeLessThanOrEqual(relative * Math.max(1, Math.abs(expected)));
  }
}

/** Dtypes, and whether the plain forms are asked for, which have float64 to themselves. */
const kinds: readonly (readonly [float: DType, isPlain: boolean])[] = inBrowser
  ? [["f32", false]]
  : [
      ["f32", false],
      ["f32", true],
      ["f64", true],
    ];

for (const [float, isPlain] of kinds) {
  const make: Make = (values, dtype = float) => {
    const bool = Array.isArray(values) && typeof values[0] === "boolean";
    const on = isPlain ? plain : device;
    return tensor(values as NestedArray, { device: on, dtype: bool ? "bool" : dtype });
  };
  describe(`in ${float}${isPlain ? ", plain" : ""}`, () => {
    for (const [name, { golden }] of tables) {
      for (const [i, { run, is, by }] of golden.entries()) {
        test(`${name} ${i + 1} (${by})`, async () => {
          expectNear(await run(make).toArray(), is, float === "f64" ? 1e-14 : 1e-6);
        });
      }
    }
  });
}
