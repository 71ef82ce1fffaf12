export type { Counters, Counts } from "./core/counters.ts";
export type { DType, NumericArray } from "./core/dtype.ts";
export {
  DeviceError,
  DisposedError,
  DTypeError,
  FormatError,
  GradusError,
  type HeldBytes,
  KernelError,
  MemoryError,
  ShapeError,
} from "./core/errors.ts";
export {
  type Fault,
  IndexError,
  type NonFinite,
  NonFiniteError,
  type NonFiniteInput,
} from "./core/faults.ts";
export { foldIn, type Key, keyFromSeed } from "./core/random.ts";
export type { SamplingOptions } from "./core/sampling.ts";
export type { Shape } from "./core/shape.ts";
export type { DebugOptions } from "./debug/watcher.ts";
export { debug } from "./debug.ts";
export type { PageDevice } from "./devices/webgpu/options.ts";
export { type Compiled, compile } from "./engine/compile.ts";
export { type ExplainOptions, explain } from "./engine/explain.ts";
export type { KernelStats, Plan, PlanStats, Progress } from "./engine/plan.ts";
export { chromeTrace, type KernelTime, type Profile } from "./engine/profile.ts";
export type { CompileOptions } from "./engine/replay.ts";
export { checkpoint } from "./graph/checkpoint.ts";
export { setDefaultDevice } from "./graph/default-device.ts";
export type { Device, DeviceLoss, DeviceNews, MemoryInfo, Recovered } from "./graph/device.ts";
export { grad, valueAndGrad } from "./graph/grad.ts";
export type { NestedArray } from "./graph/nested.ts";
export { scope } from "./graph/scope.ts";
export { assignAll, Parameter, type PyTorchForm, State, type StateOptions } from "./graph/state.ts";
export { type Axes, evaluate, type ReduceOptions, Tensor } from "./graph/tensor.ts";
export { type Choice, type InitOptions, init, memory } from "./init.ts";
export { type ScanOptions, scan, type Tensors } from "./loops/scan.ts";
export type { ForEachInput } from "./ops/custom-inputs.ts";
export type { CustomArray, CustomKernel } from "./ops/custom-kernel.ts";
export { type CustomFunction, customOp } from "./ops/custom-op.ts";
export type { CustomPointwise } from "./ops/custom-pointwise.ts";
export { type GradCheckOptions, type GradCheckResult, gradCheck } from "./ops/grad-check.ts";
export * from "./ops/index.ts";
export { hessian, jacobian } from "./ops/jacobian.ts";
export type { MapAxes } from "./ops/map-axes.ts";
export { nonzero } from "./ops/nonzero.ts";
export { type Unique, unique } from "./ops/unique.ts";
export { type VmapOptions, vmap } from "./ops/vmap.ts";
