import { OnDemand } from "../core/on-demand.ts";

/** What pages that find a GPU do not load: the CPU's part, and what finds WebGPU in Node. */
export const cpuModule = /* @__PURE__ */ new OnDemand(() => import("./without-gpu.ts"));

/** What guards against the loss of a GPU: loaded beside the rest, while nothing waits for it. */
export const recoveryModule = /* @__PURE__ */ new OnDemand(() => import("./webgpu/recovery.ts"));
