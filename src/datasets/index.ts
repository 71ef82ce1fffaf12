export { loadCifar10 } from "./cifar.ts";
export { type EmnistOptions, type EmnistSplit, loadEmnist } from "./emnist.ts";
export { loadFashionMnist, loadKmnist, loadMnist, type PixelDataset } from "./images.ts";
export { type IrisDataset, loadIris } from "./iris.ts";
export type {
  DatasetOptions,
  DatasetProgress,
  FileContent,
  PixelDatasetOptions,
} from "./options.ts";
