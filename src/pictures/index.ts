export type { AugmentOptions } from "./batch-draw.ts";
export { type ColorJitterOptions, colorJitter, type Jitter } from "./color-jitter.ts";
export type { DecodeJob, PictureFit } from "./decode-picture.ts";
export { type FromPixelsOptions, fromPixels, type PictureLayout } from "./from-pixels.ts";
export { ImageDataset, type ImageDatasetOptions } from "./image-dataset.ts";
export { cutmix, type MixOptions, mixup } from "./mixes.ts";
export { type PictureFile, type PictureFolder, pictureFiles } from "./picture-files.ts";
export {
  type RandomAffineOptions,
  type RandomRotationOptions,
  randomAffine,
  randomRotation,
} from "./random-affine.ts";
export { type RandomCropOptions, randomCrop } from "./random-crop.ts";
export { type RandomErasingOptions, randomErasing } from "./random-erasing.ts";
export {
  type RandomFlipOptions,
  randomHorizontalFlip,
  randomVerticalFlip,
} from "./random-flips.ts";
export type {
  BitmapLike,
  CanvasLike,
  ImageLike,
  PixelSource,
  Pixels,
  TextureLike,
  VideoFrameLike,
  VideoLike,
} from "./sources.ts";
export { type ToCanvasOptions, toCanvas } from "./to-canvas.ts";
export { type ToPixelsOptions, toPixels } from "./to-pixels.ts";
