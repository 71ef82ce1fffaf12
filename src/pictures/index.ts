export type { DecodeJob, PictureFit } from "./decode-picture.ts";
export { type FromPixelsOptions, fromPixels, type PictureLayout } from "./from-pixels.ts";
export { ImageDataset, type ImageDatasetOptions } from "./image-dataset.ts";
export { type PictureFile, type PictureFolder, pictureFiles } from "./picture-files.ts";
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
