import { beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/index.ts";
import { ownDevice } from "../support/device.ts";
import { compareConvolutions, drawnSizes } from "../support/direct-convolution.ts";

let device: Device;
beforeAll(async () => {
  device = await ownDevice({ engine: "plain" });
});

describe.each([1, 2, 3])("convolutions along %i axes and their gradients", (rank) => {
  test.each([...Array(12).keys()])("are those by definition: %i", async (i) => {
    const sizes = drawnSizes(rank, 100 * rank + i);
    const isFit = sizes.rest.every((n, axis) => {
      return n < Math.max(sizes.settings.stride[axis], sizes.settings.dilation[axis]);
    });
    expect(isFit).toBe(true);
    await compareConvolutions(device, "f64", 1e-12, sizes, i % 3 === 2);
  });
});
