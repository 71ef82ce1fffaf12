import { add, mul, type Tensor } from "gradus";
import { ArcFace, ASoftmax, CenterLoss, CosFace, crossEntropy, LSoftmax } from "gradus/losses";
import { type Initializer, Linear, Module } from "gradus/nn";

/** The last layer of training: `call` gives logits of embeddings, `loss` what training lowers. */
export interface Head extends Module {
  loss(embeddings: Tensor, labels: Tensor): Tensor;
}

/** What every head is made with, so that all begin with the same weights. */
export interface HeadOptions {
  readonly weightInit: Initializer;
}

/** Logits x·W without bias, as the heads with a margin have none, and their cross-entropy. */
export class Softmax extends Module implements Head {
  readonly linear: Linear;

  constructor(features: number, classes: number, { weightInit }: HeadOptions) {
    super();
    this.linear = new Linear(features, classes, { bias: false, weightInit });
  }

  override forward(x: Tensor): Tensor {
    return this.linear.call(x);
  }

  loss(x: Tensor, labels: Tensor): Tensor {
    return crossEntropy(this.call(x), labels);
  }
}

/** `Softmax` with `pull` times the center loss. */
export class CenterSoftmax extends Softmax {
  readonly centers: CenterLoss;

  constructor(
    features: number,
    classes: number,
    readonly options: HeadOptions & { readonly pull: number },
  ) {
    super(features, classes, options);
    this.centers = new CenterLoss(features, classes);
  }

  override loss(x: Tensor, labels: Tensor): Tensor {
    const apart = this.centers.lossAndUpdate(x, labels);
    return add(super.loss(x, labels), mul(apart, this.options.pull));
  }
}

/** Makes a head for embeddings of so many features. */
export type HeadMaker = (features: number, classes: number, options: HeadOptions) => Head;

/** The heads that are compared, with small scales, as ten classes on a circle are close. */
export const HEADS: Readonly<Record<string, HeadMaker>> = {
  softmax: (d, n, options) => new Softmax(d, n, options),
  center: (d, n, options) => new CenterSoftmax(d, n, { ...options, pull: 0.03 }),
  "L-Softmax": (d, n, options) =>
    new LSoftmax(d, n, {
      ...options,
      margin: 2,
      annealing: { start: 100, rate: 0.1, minimum: 0.5 },
    }),
  "A-Softmax": (d, n, options) =>
    new ASoftmax(d, n, { ...options, margin: 3, annealing: { start: 100, rate: 0.1, minimum: 3 } }),
  CosFace: (d, n, options) => new CosFace(d, n, { ...options, scale: 8, margin: 0.25 }),
  ArcFace: (d, n, options) => new ArcFace(d, n, { ...options, scale: 5, margin: 0.4 }),
};
