import { beforeAll, describe, expect, test } from "vitest";
import { type Device, init } from "../../src/index.ts";
import { tables } from "../cases/tables.ts";
import { expectParity } from "../support/parity.ts";
import { disagreements, largestCall } from "../support/special-values.ts";

let plain: Device;
let compiled: Device;
beforeAll(async () => {
  plain = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
  compiled = (await init({ device: "cpu", engine: "compiled", isolated: true })).device;
  expect(compiled.description).toContain("WebAssembly");
});

const seed = Math.floor(Math.random() * 1e6);

describe("WebAssembly agrees with the specification", () => {
  for (const [name, row] of tables) {
    test(name, async () => {
      for (const call of row.calls) await expectParity(row, call, compiled, plain, seed);
    });
  }
});

/** Rows that keep away from ±3e38, as on WebGPU: sums overflow, and sines are bounded there. */
const PRODUCTS = ["matmul", "inner", "dot", "tensordot", "einsum"];
const CONVOLUTIONS = ["conv", "convTranspose"].flatMap((name) =>
  [1, 2, 3].map((n) => `${name}${n}d`),
);
const WITHOUT_HUGE = [
  ...PRODUCTS,
  ...CONVOLUTIONS,
  ...["batchNorm", "groupNorm", "instanceNorm", "layerNorm"],
  ...["nearest", "rank1", "scaledDotProductAttention", "sin", "cos", "tan"],
];

describe("NaN, infinities and zeros of both signs", () => {
  for (const [name, row] of tables) {
    const call = largestCall(row);
    if (!call) continue;
    test(name, async () => {
      const options = { seed: 1, isHugeFine: !WITHOUT_HUGE.includes(name) };
      expect(await disagreements(row, call, [compiled, plain], options)).toEqual([]);
    });
  }
});
