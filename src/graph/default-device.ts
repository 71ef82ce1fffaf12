import { checkSurplus, describeValue } from "../core/check.ts";
import { DeviceError } from "../core/errors.ts";
import type { Device } from "./device.ts";

let current: Device | null = null;

/** The device on which tensors are made when none is named. */
export function defaultDevice(): Device {
  if (current) return current;
  throw new DeviceError("device: none yet; expected `await init()` before the first tensor");
}

/** Throws a `DeviceError` for what is no device, such as the name of one. */
export function checkDevice(op: string, device: Device): void {
  if (typeof device?.check === "function") return;
  throw new DeviceError(
    `${op}: device ${describeValue(device)}; expected one that init gave, as (await init()).device`,
  );
}

/** Chooses the device on which tensors are made when none is named. */
export function setDefaultDevice(device: Device | null, ...surplus: never[]): void {
  checkSurplus("setDefaultDevice(device)", surplus);
  if (device !== null) checkDevice("setDefaultDevice", device);
  current = device;
}
