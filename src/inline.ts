import * as cpu from "./devices/cpu/cpu-device.ts";
import { onDemand } from "./devices/on-demand.ts";
import * as profiler from "./devices/webgpu/profiler.ts";
import { type Choice, type InitOptions, init as initOnDemand } from "./init.ts";

/**
 * Does what `init` of `gradus` does and loads nothing later: for bundles that must be one file, such
 * as classic workers. Everything else is imported from the other entries.
 * @throws DeviceError when `webgpu` was asked for and is not to be had, when the browser does not
 * answer in time, or when another part of the program started with other options.
 * @throws GradusError when an option is unknown or out of range.
 * @example const { device } = await init();
 */
export function init(options?: InitOptions): Promise<Choice> {
  onDemand.cpu = async () => cpu;
  onDemand.profiler = async () => profiler;
  return initOnDemand(options);
}
