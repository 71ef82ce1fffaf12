import type { Tensor } from "gradus";
import { foldIn, keyFromSeed, sigmoid } from "gradus";
import { Linear, Module, normal } from "gradus/nn";

/** Bytes of a file with the weights of such a network, and some more. */
export function weightBytes(hidden: number): number {
  return 4 * (784 * hidden + hidden + hidden * 10 + 10) + 4096;
}

/** The two-layer network 784-hidden-10: σ in the hidden layer, logits out; weights N(0, 0.01²). */
export class TwoLayerNetwork extends Module {
  readonly hidden: Linear;
  readonly output: Linear;

  constructor(hidden: number, seed: number) {
    super();
    const key = keyFromSeed(seed);
    const weightInit = normal(0.01);
    this.hidden = new Linear(784, hidden, { weightInit, key: foldIn(key, 0) });
    this.output = new Linear(hidden, 10, { weightInit, key: foldIn(key, 1) });
  }

  /** Gives logits `[n, 10]` of images `[n, 784]` in [0, 1]. */
  forward(x: Tensor): Tensor {
    return this.output.call(sigmoid(this.hidden.call(x)));
  }
}
