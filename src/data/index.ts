export { Batch, type Dataset, DeviceDataset, type MnistOptions, mnist } from "./dataset.ts";
export { type IdxArray, type IdxDType, readIdx, writeIdx } from "./idx.ts";
export { DataLoader, type DataLoaderOptions } from "./loader.ts";
export { type NormalizeOptions, normalizeImages } from "./normalize.ts";
export { type PrefetchOptions, prefetch } from "./prefetch.ts";
export { BatchSampler, type BatchSamplerOptions } from "./sampler.ts";
export {
  FeatureScaling,
  minMaxScaling,
  standardScaling,
} from "./scaling.ts";
export { type Fold, kFold, type SplitOptions, splitDataset } from "./split.ts";
export { Subset } from "./subset.ts";
export { type TensorBatch, TensorDataset, type TensorDatasetOptions } from "./tensor-dataset.ts";
