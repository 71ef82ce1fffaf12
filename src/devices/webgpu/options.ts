/** Settings of a WebGPU device. */
export interface GpuOptions {
  /** Forces kernels with workgroup memory or with direct loads; by default the adapter decides. */
  kernels?: "workgroup" | "direct";
}
