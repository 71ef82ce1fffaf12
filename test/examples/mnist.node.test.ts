import { expect, test } from "vitest";
import { acceptanceTest } from "../support/acceptance.ts";
import { testDevice } from "../support/device.ts";
import { EPOCH, REFERENCE, testAccuracies } from "../support/mnist.ts";

const STEPS = 10_000;

/** What so many steps come to; settings of K. Saito 2016, "Deep Learning from Scratch", 4.5. */
const AFTER_STEPS = 0.947;

test("10,000 steps on the CPU reach the reference accuracies on their way", async () => {
  const epochs = [1, 2, 5, 10];
  const after = [...epochs.map((n) => n * EPOCH), STEPS];
  const accuracies = await testAccuracies(await testDevice(), { after });
  for (const [i, n] of epochs.entries()) {
    expect(Math.abs(accuracies[i] - REFERENCE[n])).toBeLessThanOrEqual(0.01);
  }
  expect(Math.abs(accuracies[epochs.length] - AFTER_STEPS)).toBeLessThanOrEqual(0.006);
}, 600_000);

for (const seed of [1, 2]) {
  acceptanceTest(
    `10,000 steps reach the same with other weights and batches, seed ${seed}`,
    async () => {
      const [accuracy] = await testAccuracies(await testDevice(), { after: [STEPS], seed });
      expect(Math.abs(accuracy - AFTER_STEPS)).toBeLessThanOrEqual(0.006);
    },
    600_000,
  );
}
