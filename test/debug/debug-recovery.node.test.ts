import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Device,
  debug,
  init,
  NonFiniteError,
  setDefaultDevice,
  square,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { Linear } from "../../src/nn/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { FragileDevice } from "../support/fragile-device.ts";

let before: Device;
beforeAll(async () => {
  before = (await init({ device: "cpu" })).device;
});
afterAll(() => setDefaultDevice(before));

/** Makes six steps under debug, and loses the device at the n-th call of a kind. */
async function trained(kind: string, n: number) {
  const device = new FragileDevice();
  setDefaultDevice(device);
  let count = 0;
  device.onCall = (what) => {
    if (what === kind && count++ === n) void device.lose(1);
  };
  const model = new Linear(2, 2, { seed: 1 });
  const optimizer = new Adam(model.parameters(), { learningRate: 0.1 });
  const loss = (net: Linear, x: Tensor) => sum(square(net.call(x)));
  const step = trainStep({ model, optimizer, loss, mirrorEvery: 4 });
  const bad = await debug(async () => {
    for (let i = 1; i <= 6; i++) await step(tensor([[i, 1]]));
    return step(tensor([[Number.NaN, 1]])).catch((error) => error);
  });
  const losses = (await step.read()).map(({ loss }) => loss);
  return { bad, losses, weights: await model.weight.data(), lost: device.losses };
}

describe("steps under debug come to the same bits when the device is lost", () => {
  for (const kind of ["run", "read"]) {
    test(`at a ${kind}`, async () => {
      const { bad, ...undisturbed } = await trained(kind, -1);
      expect(bad).toBeInstanceOf(NonFiniteError);
      expect(undisturbed.losses).toHaveLength(6);
      let losses = 0;
      for (let n = 0; n < 12; n++) {
        const { bad, ...run } = await trained(kind, n);
        losses += run.lost;
        expect({ ...run, lost: 0 }, `${n}`).toEqual(undisturbed);
        expect(bad).toMatchObject({ step: 7, place: "matmul" });
      }
      expect(losses).toBeGreaterThan(5);
    });
  }
});
