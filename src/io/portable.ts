export {
  type CheckpointInfo,
  type CheckpointParts,
  type HasRate,
  type HasState,
  loadCheckpoint,
  type SeekableStep,
  saveCheckpoint,
} from "./checkpoint.ts";
export { download } from "./download.ts";
export { indexedDbStore } from "./indexed-db-store.ts";
export {
  type LoadStateOptions,
  loadState,
  type Rename,
  type UnmatchedNames,
} from "./load-state.ts";
export {
  type LoadNpyOptions,
  loadNpy,
  loadNpz,
  type SaveNpzOptions,
  saveNpy,
  saveNpz,
} from "./numpy.ts";
export { opfsStore } from "./opfs-store.ts";
export type { FileOrigin } from "./origins.ts";
export {
  readSafetensors,
  type Safetensors,
  type SafetensorsTensor,
} from "./safetensors.ts";
export type { SafetensorsDType } from "./safetensors-dtype.ts";
export { type SafetensorsInput, writeSafetensors } from "./safetensors-write.ts";
export type { FileStore, Store, StoreOptions } from "./stores.ts";
export {
  type LoadOptions,
  loadSafetensors,
  type NamedTensors,
  type SaveOptions,
  saveSafetensors,
} from "./weights.ts";
