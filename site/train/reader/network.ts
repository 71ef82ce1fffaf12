import { reshape, type Tensor } from "gradus";
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from "gradus/nn";

/** The network that reads drawings at once: two convolutions, each halved by maxima; logits of `[n, 784]`. */
export function readerNetwork(): Sequential {
  return new Sequential({
    square: (images: Tensor) => reshape(images, [images.shape[0], 1, 28, 28]),
    first: new Conv2d(1, 16, 3, { padding: 1, seed: 1 }),
    relu: new ReLU(),
    half: new MaxPool2d(2),
    second: new Conv2d(16, 32, 3, { padding: 1, seed: 2 }),
    relu2: new ReLU(),
    half2: new MaxPool2d(2),
    flat: new Flatten(),
    output: new Linear(32 * 7 * 7, 10, { seed: 3 }),
  });
}
