import { foldIn, keyFromSeed, reshape, type Tensor } from "gradus";
import { BatchNorm2d, Conv2d, Flatten, L2Normalize, MaxPool2d, ReLU, Sequential } from "gradus/nn";
import { SIDE } from "../embeddings/distorted.ts";

/**
 * Blocks of a convolution 3×3, normalisation, relu and halving by maxima; embeddings of unit length of
 * images `[n, 784]`.
 */
export function embeddingNetwork(channels: readonly number[], seed: number): Sequential {
  const blocks = channels.flatMap((outputs, i) => [
    new Conv2d(i === 0 ? 1 : channels[i - 1], outputs, 3, {
      padding: 1,
      bias: false,
      key: foldIn(keyFromSeed(seed), i),
    }),
    new BatchNorm2d(outputs),
    new ReLU(),
    new MaxPool2d(2),
  ]);
  return new Sequential(
    (images: Tensor) => reshape(images, [images.shape[0], 1, SIDE, SIDE]),
    ...blocks,
    new Flatten(),
    new L2Normalize(),
  );
}
