/**
 * What few pages need and the others do not load: the CPU's part where there is a GPU, and what takes
 * times. `gradus/inline` puts the modules themselves here, for bundles that must be one file.
 */
export const onDemand = {
  cpu: () => import("./cpu/cpu-device.ts"),
  profiler: () => import("./webgpu/profiler.ts"),
};
