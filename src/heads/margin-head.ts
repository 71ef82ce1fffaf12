import { checkFunctions, checkSizes } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { givenKey, type Key } from "../core/random.ts";
import { formatShape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { Parameter } from "../graph/state.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { type CrossEntropyOptions, crossEntropy } from "../losses/cross-entropy.ts";
import { type Initializer, xavierUniform } from "../nn/init.ts";
import { Module } from "../nn/module.ts";
import { l2Normalize } from "../ops/l2-normalize.ts";
import { matmul } from "../ops/matmul.ts";
import { labelsOf } from "../ops/targets.ts";

/** Options of every margin head. */
export interface MarginHeadOptions {
  /** `xavierUniform()` when left out. */
  weightInit?: Initializer;
  /** Fixes the initial weights on every device. */
  seed?: number;
  /** In place of `seed`, a key as `foldIn` derives them. */
  key?: Key;
  /** The device of `init` when left out. */
  device?: Device;
  /** `f32` when left out. */
  dtype?: DType;
}

/** The names of `MarginHeadOptions`, for checks. */
export const HEAD_OPTIONS = {
  weightInit: true,
  seed: true,
  key: true,
  device: true,
  dtype: true,
} as const;

/**
 * The last layer of a classifier whose training puts a margin between the classes: `forward` gives
 * logits without it, for inference, `logits` those that training uses.
 */
export abstract class MarginHead extends Module {
  /** W of shape `[features, classes]`, one column for each class; there is no bias. */
  readonly weight: Parameter;

  /**
   * Makes the weights; `op` is what messages call the head.
   * @throws ShapeError for sizes that are no positive integers.
   */
  constructor(
    protected readonly op: string,
    readonly features: number,
    readonly classes: number,
    options: MarginHeadOptions,
  ) {
    super();
    checkSizes(op, { features, classes });
    const { weightInit = xavierUniform(), device, dtype } = options;
    checkFunctions(op, { weightInit });
    const key = givenKey(op, options);
    const context = { fanIn: features, fanOut: classes, key, device, dtype };
    this.weight = new Parameter(weightInit([features, classes], context), { name: "weight" });
  }

  /**
   * Computes the logits of inference, without a margin.
   * @throws GradusError for labels beside: those belong to `loss` and `logits`.
   */
  override call(x: Tensor, ...surplus: never[]): Tensor {
    if (surplus.length === 0) return super.call(x);
    throw new GradusError(
      `${this.op}: call with ${1 + surplus.length} arguments; expected call(x), which knows no ` +
        "margin. Train with loss(x, labels), or take logits(x, labels)",
    );
  }

  /** Gives the logits of training, `[n, classes]`, with the margin at each example's label. */
  abstract logits(x: Tensor, labels: Tensor): Tensor;

  /** Computes the cross-entropy of the training logits; labels and options are its. */
  loss(x: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): Tensor {
    return crossEntropy(this.logits(x, labels), labels, options);
  }

  /** Computes cos θ between examples `[n, features]` and classes; 0 for a zero vector. */
  cosines(x: Tensor): Tensor {
    this.checkInput(x);
    return matmul(l2Normalize(x), l2Normalize(this.weight, { axis: 0 }));
  }

  /** Throws unless there are features `[n, features]` and one label for each. */
  protected checkTraining(x: Tensor, labels: Tensor): void {
    this.checkInput(x);
    labelsOf(this.op, labels, x.shape[0]);
  }

  /** Throws a `ShapeError` unless the input is `[n, features]`. */
  protected checkInput(x: Tensor): void {
    checkTensors(this.op, [x]);
    if (x.rank === 2 && x.shape[1] === this.features) return;
    throw new ShapeError(
      `${this.op}: input ${formatShape(x.shape)}; expected [n, ${this.features}]`,
    );
  }
}
