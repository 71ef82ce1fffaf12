import type { Device } from "../../src/index.ts";

/**
 * How many tensors hold memory, with those that the collector of JavaScript took meanwhile: what
 * other tests left goes when it likes, and must not count as freed by the code under test.
 */
export function held(device: Device): number {
  const { tensors, reclaimed } = device.memory();
  return tensors + reclaimed;
}
