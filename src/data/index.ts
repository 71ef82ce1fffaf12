export { BucketLoader, type BucketLoaderOptions, type PaddedBatch } from "./bucket-loader.ts";
export { Batch, type Dataset, DeviceDataset, type MnistOptions, mnist } from "./dataset.ts";
export { type IdxArray, type IdxDType, readIdx, writeIdx } from "./idx.ts";
export { DataLoader, type DataLoaderOptions } from "./loader.ts";
export { type NormalizeOptions, normalizeImages } from "./normalize.ts";
export {
  type PaddingOptions,
  type PadSequencesOptions,
  padSequences,
  type Sequence,
} from "./pad-sequences.ts";
export { type PrefetchOptions, prefetch } from "./prefetch.ts";
export { BatchSampler, type BatchSamplerOptions } from "./sampler.ts";
export {
  FeatureScaling,
  minMaxScaling,
  standardScaling,
} from "./scaling.ts";
export { type DatasetFold, kFold, type SplitOptions, splitDataset } from "./split.ts";
export {
  type BatchedOptions,
  batched,
  type ShuffleWindowOptions,
  type Stream,
  shuffleWindow,
} from "./stream.ts";
export { StreamLoader, type StreamLoaderOptions } from "./stream-loader.ts";
export { Subset } from "./subset.ts";
export { type TensorBatch, TensorDataset, type TensorDatasetOptions } from "./tensor-dataset.ts";
export { splitTokens, TextDataset, type TextDatasetOptions } from "./text-dataset.ts";
