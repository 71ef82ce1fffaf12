/** A GPUDevice of the page: what WebGPU's `requestDevice` gives. */
export interface PageDevice {
  readonly limits: object;
  readonly features: object;
  readonly lost: Promise<unknown>;
  readonly queue: object;
}

/** Settings of a WebGPU device, and of the CPU where it has to stand in. */
export interface GpuOptions {
  /** Forces kernels with workgroup memory or with direct loads; by default the adapter decides. */
  kernels?: "workgroup" | "direct";
  /**
   * Whether kernels are made better while they run; the results have the same bits, unless a compiler
   * fuses or reassociates what the one adds and not the other, as WGSL lets it. By `background`,
   * which it is when left out, what may compute the same is timed on a GPU between steps, in at most 1 %
   * of their time, and the fastest goes on; where a CPU emulates the GPU, a compiled function whose
   * kernels take long to compile begins with plain ones until the others are there. By `now` all is
   * timed when a function is prepared, or else after its first run. What was found is kept for the
   * next visit. By `off` the kernels are those that the rules take.
   */
  tune?: "background" | "now" | "off";
  /**
   * What computes on the CPU: `compiled` makes WebAssembly with SIMD of each program; `plain` runs
   * each op's plain form, which is the specification. `compiled` when left out; where the page or the
   * browser has no WebAssembly, `plain` is taken, and the reason that `init` gives says so.
   */
  engine?: "compiled" | "plain";
  /**
   * How many threads compute on the CPU where its engine is `compiled`, the one that calls among them:
   * a whole number from 1 on, and 1 is no others. They need a page that is cross-origin isolated, or
   * Node. One less than there are cores, and 8 at the most, when left out; results are the same.
   */
  threads?: number;
  /**
   * A GPUDevice of the page to work with, whose buffers and textures tensors can share. It stays the
   * page's: `dispose()` frees what was made there and leaves it as it is, and when it is lost, no other
   * takes its place; then `init` has to be given another one.
   */
  gpuDevice?: PageDevice;
}
