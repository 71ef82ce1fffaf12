import { afterAll, beforeAll, expect, test } from "vitest";
import { scheduleOver } from "../../site/train/learning.ts";
import { type Device, init, State, setDefaultDevice, tensor } from "../../src/index.ts";
import { RunControl, train } from "../../src/train/index.ts";
import { FragileDevice } from "../support/fragile-device.ts";
import { bitsOf, smallRun } from "../support/small-run.ts";

let before: Device;
beforeAll(async () => {
  before = (await init({ device: "cpu" })).device;
});
afterAll(() => setDefaultDevice(before));

/** Trains 12 steps by a schedule whose rate is changed after the fifth; the device is lost after one of them. */
async function bitsWithLoss(name: "exponential" | "cosine", lostAt: number | null) {
  const device = new FragileDevice();
  setDefaultDevice(device);
  const rate = new State(tensor(0.5));
  const run = smallRun(scheduleOver(name, rate, 12), 5, 0);
  const control = new RunControl();
  control.step(1);
  const heard: string[] = [];
  const events = train({ ...run, epochs: 3, metricsEvery: 1, control });
  for await (const { event, step } of events) {
    if (event === "deviceLost" || event === "recovered") heard.push(event);
    if (event !== "step") continue;
    if (step === 5) rate.assign(tensor(0.01));
    if (step === lostAt) await device.lose();
    control.step(1);
  }
  return { bits: await bitsOf(run), rate: await rate.item(), heard };
}

test.each(["exponential", "cosine"] as const)(
  "a rate that was changed outlasts a lost device, with schedule %s",
  async (name) => {
    const { bits, heard, rate } = await bitsWithLoss(name, null);
    expect(heard).toEqual([]);
    expect(rate).toBeCloseTo(0.01);
    for (const lostAt of [4, 5, 6, 10]) {
      const lost = await bitsWithLoss(name, lostAt);
      expect(lost.heard).toEqual(["deviceLost", "recovered"]);
      expect(lost.bits, `lost after step ${lostAt}`).toEqual(bits);
      expect(lost.rate, `lost after step ${lostAt}`).toBe(rate);
    }
  },
);
