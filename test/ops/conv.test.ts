import { beforeAll, test } from "vitest";
import type { Device } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";
import { compareConvolutions, drawnSizes } from "../support/direct-convolution.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const seed = Math.floor(Math.random() * 1e6);

test(`convolutions of random sizes and their gradients are those by definition, seed ${seed}`, async () => {
  for (let i = 0; i < 6; i++) {
    await compareConvolutions(device, "f32", 2e-5, drawnSizes(1 + (i % 3), seed + i), i % 2 === 1);
  }
});
