import { OnDemand } from "../core/on-demand.ts";

/** The CPU's part, what finds WebGPU in Node, and what brings a lost GPU's work back. */
export const cpuModule = /* @__PURE__ */ new OnDemand(() => import("./without-gpu.ts"));
