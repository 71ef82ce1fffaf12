import { checkSizes } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { type Key, keyFromSeed } from "../core/random.ts";
import { formatShape } from "../core/shape.ts";
import type { Backend } from "../graph/backend.ts";
import { Parameter } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Initializer, xavierUniform } from "../nn/init.ts";
import { Module } from "../nn/module.ts";
import { l2Normalize } from "../ops/l2-normalize.ts";
import { matmul } from "../ops/matmul.ts";
import { crossEntropy } from "./cross-entropy.ts";
import type { LossOptions } from "./reduction.ts";

/** Options of every margin head. */
export interface MarginHeadOptions {
  /** `xavierUniform()` when left out. */
  weightInit?: Initializer;
  /** Fixes the initial weights on every device. */
  seed?: number;
  /** In place of `seed`, a key as `foldIn` derives them. */
  key?: Key;
  /** The device of `init` when left out. */
  device?: Backend;
  /** `f32` when left out. */
  dtype?: DType;
}

/**
 * The last layer of a classifier whose training puts a margin between the classes: `forward` gives
 * logits without it, for inference, `logits` those that training uses.
 */
export abstract class MarginHead extends Module {
  /** W of shape `[features, classes]`, one column for each class; there is no bias. */
  readonly weight: Parameter;

  /** Throws a `ShapeError` for sizes that are no positive integers. */
  constructor(
    readonly features: number,
    readonly classes: number,
    options: MarginHeadOptions = {},
  ) {
    super();
    checkSizes("MarginHead", { features, classes });
    const { weightInit = xavierUniform(), seed, device, dtype } = options;
    const key = options.key ?? (seed === undefined ? undefined : keyFromSeed(seed, "MarginHead"));
    const context = { fanIn: features, fanOut: classes, key, device, dtype };
    this.weight = new Parameter(weightInit([features, classes], context), { name: "weight" });
  }

  /** Gives the logits of training, `[n, classes]`, with the margin at each example's label. */
  abstract logits(x: Tensor, labels: Tensor): Tensor;

  /** Computes the cross-entropy of the training logits; labels and options are its. */
  loss(x: Tensor, labels: Tensor, options: LossOptions = {}): Tensor {
    return crossEntropy(this.logits(x, labels), labels, options);
  }

  /** Computes cos θ between examples `[n, features]` and classes; 0 for a zero vector. */
  cosines(x: Tensor): Tensor {
    this.checkInput(x);
    return matmul(l2Normalize(x), l2Normalize(this.weight, { axis: 0 }));
  }

  /** Throws a `ShapeError` unless the input is `[n, features]`. */
  protected checkInput(x: Tensor): void {
    if (x.rank === 2 && x.shape[1] === this.features) return;
    throw new ShapeError(
      `MarginHead: input ${formatShape(x.shape)}; expected [n, ${this.features}]`,
    );
  }
}
