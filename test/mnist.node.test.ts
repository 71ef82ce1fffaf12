import { expect, test } from "vitest";
import { testDevice } from "./support/device.ts";
import { REFERENCE, testAccuracies } from "./support/mnist.ts";

test("five epochs on the CPU reach the reference accuracies", async () => {
  const accuracies = await testAccuracies(await testDevice(), 5);
  for (const epochs of [1, 2, 5]) {
    expect(Math.abs(accuracies[epochs - 1] - REFERENCE[epochs])).toBeLessThanOrEqual(0.01);
  }
}, 600_000);
