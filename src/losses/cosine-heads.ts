import { checkPositive } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { mul } from "../ops/arithmetic.ts";
import { checkRange } from "./check.ts";
import { MarginHead, type MarginHeadOptions } from "./margin-head.ts";
import {
  type AdditiveMarginOptions,
  arcFaceLogits,
  checkArcMargin,
  cosFaceLogits,
} from "./margins.ts";

/** Options of `NormSoftmax`. */
export interface NormSoftmaxOptions extends MarginHeadOptions {
  /** s, what the cosines are multiplied with, above 0; 64 when left out. */
  scale?: number;
}

/** Options of `CosFace` and `ArcFace`. */
export interface CosineHeadOptions extends NormSoftmaxOptions, AdditiveMarginOptions {}

/**
 * Computes logits s cos θ from the angles between features and the classes' weights, without a
 * margin (Wang, Xiang, Cheng & Yuille 2017, "NormFace: L2 hypersphere embedding").
 * @throws ShapeError for sizes, GradusError for a scale out of its range.
 */
export class NormSoftmax extends MarginHead {
  readonly scale: number;

  constructor(features: number, classes: number, options: NormSoftmaxOptions = {}) {
    super(features, classes, options);
    this.scale = options.scale ?? 64;
    checkPositive("MarginHead", { scale: this.scale });
  }

  override forward(x: Tensor): Tensor {
    return mul(this.cosines(x), this.scale);
  }

  override logits(x: Tensor, _labels: Tensor): Tensor {
    return this.forward(x);
  }
}

/**
 * Computes logits s cos θ, in training s (cos θ_y − m) at the right class: see `cosFaceLogits`
 * (Wang et al. 2018, "CosFace", eq. 4), with s 64 and m 0.35 when left out.
 * @throws ShapeError for sizes, GradusError for options out of their range.
 * @example new CosFace(2, 10, { scale: 16 }).loss(features, labels);
 */
export class CosFace extends NormSoftmax {
  readonly margin: number;

  constructor(features: number, classes: number, options: CosineHeadOptions = {}) {
    super(features, classes, options);
    this.margin = options.margin ?? 0.35;
    checkRange("CosFace", "margin", this.margin, 0);
  }

  override logits(x: Tensor, labels: Tensor): Tensor {
    return cosFaceLogits(this.cosines(x), labels, this);
  }
}

/**
 * Computes logits s cos θ, in training s cos(θ_y + m) at the right class: see `arcFaceLogits`
 * (Deng et al. 2019, "ArcFace", eq. 3), with s 64 and m 0.5 when left out.
 * @throws ShapeError for sizes, GradusError for options out of their range.
 * @example new ArcFace(2, 10, { scale: 16 }).loss(features, labels);
 */
export class ArcFace extends NormSoftmax {
  readonly margin: number;

  constructor(features: number, classes: number, options: CosineHeadOptions = {}) {
    super(features, classes, options);
    this.margin = options.margin ?? 0.5;
    checkArcMargin("ArcFace", this.margin);
  }

  override logits(x: Tensor, labels: Tensor): Tensor {
    return arcFaceLogits(this.cosines(x), labels, this);
  }
}
