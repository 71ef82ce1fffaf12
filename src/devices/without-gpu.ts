// What pages need where there is no GPU, or none any more; pages with one load it beside their work.
export { chooseEngine } from "./cpu/choose-engine.ts";
export { CpuSession } from "./cpu/cpu-device.ts";
export { asAdapter } from "./webgpu/foreign-device.ts";
export { gpuElsewhere } from "./webgpu/gpu-elsewhere.ts";
export { journalOf, remake } from "./webgpu/recovery.ts";
