import type { Tensor } from "gradus";
import { foldIn, keyFromSeed, reshape } from "gradus";
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  heNormal,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
} from "gradus/nn";

/** Pixels of a side. */
const SIDE = 28;

/**
 * Two convolutions 3×3 of 16 and 32 channels, each normalised, relu and halved by maxima; 128 hidden
 * units with dropout before and behind; logits `[n, 10]` of images `[n, 784]`.
 */
export function convolutionalNetwork(dropout: number, seed: number): Sequential {
  let number = 0;
  const own = () => ({ key: foldIn(keyFromSeed(seed), number++) });
  const block = (inputs: number, outputs: number) => [
    new Conv2d(inputs, outputs, 3, { padding: 1, bias: false, ...own() }),
    new BatchNorm2d(outputs),
    new ReLU(),
    new MaxPool2d(2),
  ];
  return new Sequential(
    (images: Tensor) => reshape(images, [images.shape[0], 1, SIDE, SIDE]),
    ...block(1, 16),
    ...block(16, 32),
    new Flatten(),
    new Dropout(dropout, own()),
    new Linear(32 * (SIDE / 4) ** 2, 128, { weightInit: heNormal(), ...own() }),
    new ReLU(),
    new Dropout(dropout, own()),
    new Linear(128, 10, own()),
  );
}
