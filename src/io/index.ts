export {
  readSafetensors,
  type Safetensors,
  type SafetensorsDType,
  type SafetensorsTensor,
} from "./safetensors.ts";
export { type SafetensorsInput, writeSafetensors } from "./safetensors-write.ts";
export { loadInto, loadSafetensors, type NamedTensors, saveSafetensors } from "./weights.ts";
