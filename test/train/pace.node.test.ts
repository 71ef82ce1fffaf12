import { expect, test } from "vitest";
import { Pace, paceBetween } from "../../src/train/pace.ts";

test("a pace is steps by seconds, and rest is no time", () => {
  expect(paceBetween({ time: 100, step: 2 }, { time: 600, step: 5 })).toBe(6);
  expect(paceBetween({ time: 100, step: 2 }, { time: 100, step: 3 })).toBe(1e6);
  const pace = new Pace();
  expect(pace.at(3, 1000)).toEqual({ time: 1000, step: 3 });
  pace.restedSince(performance.now() - 500);
  const { time } = pace.at(4, 2000);
  expect(time).toBeLessThanOrEqual(1500);
  expect(time).toBeGreaterThan(1000);
});
