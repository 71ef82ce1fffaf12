import * as format from "./core/format-values.ts";
import * as debug from "./debug/watcher.ts";
import { debugModule } from "./debug.ts";
import * as cpu from "./devices/cpu/cpu-device.ts";
import { cpuModule, profilerModule } from "./devices/on-demand.ts";
import * as profiler from "./devices/webgpu/profiler.ts";
import { formatModule } from "./graph/tensor.ts";
import { type Choice, type InitOptions, init as initOnDemand } from "./init.ts";
import { summaryModule } from "./nn/module.ts";
import * as summary from "./nn/summary.ts";

/**
 * Does what `init` of `gradus` does and loads nothing later: for bundles that must be one file, such
 * as classic workers. Everything else is imported from the other entries.
 * @throws DeviceError when `webgpu` was asked for and is not to be had, when the browser does not
 * answer in time, or when another part of the program started with other options.
 * @throws GradusError when an option is unknown or out of range.
 * @example const { device } = await init();
 */
export function init(options?: InitOptions): Promise<Choice> {
  cpuModule.put(cpu);
  profilerModule.put(profiler);
  formatModule.put(format);
  debugModule.put(debug);
  summaryModule.put(summary);
  return initOnDemand(options);
}
