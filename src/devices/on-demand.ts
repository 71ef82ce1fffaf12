import { OnDemand } from "../core/on-demand.ts";

/** The CPU's part, which pages with a GPU do not load. */
export const cpuModule = /* @__PURE__ */ new OnDemand(() => import("./cpu/cpu-device.ts"));

/** What takes the times of kernels. */
export const profilerModule = /* @__PURE__ */ new OnDemand(() => import("./webgpu/profiler.ts"));
