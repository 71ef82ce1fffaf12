import { concat, foldIn, keyFromSeed, oneHot, reshape, slice, type Tensor } from "gradus";
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Flatten,
  LeakyReLU,
  Linear,
  Module,
  normal,
  ReLU,
  Sequential,
  Tanh,
} from "gradus/nn";

/** Pixels of a side, and of the side that a generator begins with. */
const [SIDE, START] = [28, 7];
/** Classes of digits. */
export const CLASSES = 10;

/** The sizes of both networks. */
export interface GanOptions {
  /** Whether the generator is told a class and the discriminator tells one. */
  readonly classes: boolean;
  /** Numbers that the generator makes an image of. */
  readonly latent: number;
  /** Channels of the larger images; twice as many of the smaller ones. */
  readonly channels: number;
  readonly seed: number;
}

/** As Radford et al. do: N(0, 0.02²). */
const weightInit = normal(0.02);

/**
 * Makes images `[n, 1, 28, 28]` in [−1, 1] of latent numbers `[n, latent]`, and classes `[n]` if there are
 * any: a dense layer, and two transposed convolutions that double the sides. Source: Radford et al. 2016,
 * "Unsupervised representation learning with deep convolutional generative adversarial networks".
 */
export class Generator extends Module<[latent: Tensor, wanted: Tensor], Tensor> {
  readonly layers: Sequential;

  constructor(readonly options: GanOptions) {
    super();
    const { classes, latent, channels, seed } = options;
    const key = keyFromSeed(seed);
    const inputs = latent + (classes ? CLASSES : 0);
    const features = 2 * channels * START * START;
    const doubling = { stride: 2, padding: 1, weightInit };
    this.layers = new Sequential(
      new Linear(inputs, features, { bias: false, weightInit, key: foldIn(key, 0) }),
      new BatchNorm1d(features),
      new ReLU(),
      (x: Tensor) => reshape(x, [x.shape[0], 2 * channels, START, START]),
      new ConvTranspose2d(2 * channels, channels, 4, {
        ...doubling,
        bias: false,
        key: foldIn(key, 1),
      }),
      new BatchNorm2d(channels),
      new ReLU(),
      new ConvTranspose2d(channels, 1, 4, { ...doubling, key: foldIn(key, 2) }),
      new Tanh(),
    );
  }

  forward(latent: Tensor, wanted: Tensor): Tensor {
    const { classes } = this.options;
    const x = classes ? concat([latent, oneHot(wanted, CLASSES)], { axis: 1 }) : latent;
    return this.layers.call(x);
  }
}

/** What a discriminator says of images: how real they are, and of which class, as logits. */
export interface Judgement {
  /** `[n]`, positive for images that look real. */
  readonly real: Tensor;
  /** `[n, 10]`. */
  readonly classes: Tensor;
}

/** Tells real images `[n, 1, 28, 28]` from made ones by two convolutions that halve the sides. */
export class Discriminator extends Module<[images: Tensor], Judgement> {
  readonly layers: Sequential;
  readonly output: Linear;

  constructor({ channels, seed }: GanOptions) {
    super();
    const key = keyFromSeed(seed);
    const halving = { stride: 2, padding: 1, weightInit };
    this.layers = new Sequential(
      new Conv2d(1, channels, 4, { ...halving, key: foldIn(key, 3) }),
      new LeakyReLU(0.2),
      new Conv2d(channels, 2 * channels, 4, { ...halving, bias: false, key: foldIn(key, 4) }),
      new BatchNorm2d(2 * channels),
      new LeakyReLU(0.2),
      new Flatten(),
    );
    const features = 2 * channels * START * START;
    this.output = new Linear(features, 1 + CLASSES, { weightInit, key: foldIn(key, 5) });
  }

  forward(images: Tensor): Judgement {
    const logits = this.output.call(this.layers.call(images));
    const n = logits.shape[0];
    return {
      real: reshape(slice(logits, [{}, { end: 1 }]), [n]),
      classes: slice(logits, [{}, { start: 1 }]),
    };
  }
}

/** Gives images `[n, 784]` in [0, 1] as a discriminator takes them. */
export function asSeen(images: Tensor): Tensor {
  return reshape(images.mul(2).sub(1), [images.shape[0], 1, SIDE, SIDE]);
}
