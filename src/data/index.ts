export { Batch, type Dataset, DeviceDataset, mnist, type MnistOptions } from "./dataset.ts";
export { type IdxArray, type IdxDType, readIdx, writeIdx } from "./idx.ts";
export { DataLoader, type DataLoaderOptions } from "./loader.ts";
export { type NormalizeOptions, normalizeImages } from "./normalize.ts";
export { prefetch, type PrefetchOptions } from "./prefetch.ts";
export { BatchSampler, type BatchSamplerOptions } from "./sampler.ts";
