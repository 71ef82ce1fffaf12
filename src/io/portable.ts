export {
  type CheckpointInfo,
  type CheckpointParts,
  type HasRate,
  type HasState,
  loadCheckpoint,
  saveCheckpoint,
} from "./checkpoint.ts";
export {
  readSafetensors,
  type Safetensors,
  type SafetensorsDType,
  type SafetensorsTensor,
} from "./safetensors.ts";
export { type SafetensorsInput, writeSafetensors } from "./safetensors-write.ts";
export { download, opfsStore, type Store } from "./stores.ts";
export { loadInto, loadSafetensors, type NamedTensors, saveSafetensors } from "./weights.ts";
