export type { TuningData } from "../devices/webgpu/tunings.ts";
export { type FromBufferOptions, fromBuffer, type PageBuffer } from "./from-buffer.ts";
export { type BufferPlace, toBuffer } from "./to-buffer.ts";
export { exportTuning, importTuning } from "./tuning.ts";
