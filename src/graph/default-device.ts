import { DeviceError } from "../core/errors.ts";
import type { Backend } from "./backend.ts";

let current: Backend | null = null;

/** The device on which tensors are made when none is named. */
export function defaultDevice(): Backend {
  if (current) return current;
  throw new DeviceError("device: none yet; expected `await init()` before the first tensor");
}

/** Chooses the device on which tensors are made when none is named. */
export function setDefaultDevice(device: Backend | null): void {
  current = device;
}
