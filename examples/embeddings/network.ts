import { foldIn, type Key, keyFromSeed, relu, type Tensor, tensor } from "gradus";
import { heNormal, type Initializer, Linear, Module, xavierUniform } from "gradus/nn";
import type { Head, HeadMaker } from "./heads.ts";

/** The sizes of an `EmbeddingNetwork`. */
export interface NetworkSizes {
  readonly hidden: number;
  readonly features: number;
  readonly classes: number;
}

/** The network 784-hidden-features, relu in the hidden layer, with a head to train it by. */
export class EmbeddingNetwork extends Module {
  readonly hidden: Linear;
  readonly output: Linear;
  readonly head: Head;

  /** Networks of one seed and size have the same initial weights, whatever their heads. */
  constructor(
    readonly sizes: NetworkSizes,
    makeHead: HeadMaker,
    seed: number,
  ) {
    super();
    const { hidden, features, classes } = sizes;
    const key = keyFromSeed(seed);
    this.hidden = new Linear(784, hidden, { weightInit: heNormal(), key: foldIn(key, 0) });
    this.output = new Linear(hidden, features, { key: foldIn(key, 1) });
    this.head = makeHead(features, classes, { weightInit: drawnWith(foldIn(key, 2)) });
  }

  /** Gives embeddings `[n, features]` of images `[n, 784]` in [0, 1]. */
  embed(images: Tensor): Tensor {
    return this.output.call(relu(this.hidden.call(images)));
  }

  /** Takes over the parameters of a network of the same sizes, whose head may be another one. */
  async takeWeights(from: EmbeddingNetwork): Promise<void> {
    const given = from.parameters();
    for (const [i, parameter] of this.parameters().entries()) {
      using value = tensor(await given[i].data(), { shape: given[i].shape });
      parameter.assign(value);
    }
  }

  /** Gives logits `[n, classes]`. */
  forward(images: Tensor): Tensor {
    return this.head.call(this.embed(images));
  }
}

/** Weights that do not depend on which kind of layer asks for them. */
function drawnWith(key: Key): Initializer {
  return (shape, context) => xavierUniform()(shape, { ...context, key });
}
