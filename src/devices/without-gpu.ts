export { CpuDevice, CpuSession } from "./cpu/cpu-device.ts";
export { gpuElsewhere } from "./webgpu/gpu-elsewhere.ts";
