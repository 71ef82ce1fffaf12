import { checkOptions, checkPositive, type Known } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { checkArcMargin, checkRange } from "../losses/check.ts";
import {
  type AdditiveMarginOptions,
  type ArcFaceOptions,
  arcFaceLogits,
  cosFaceLogits,
} from "../losses/margins.ts";
import { mul } from "../ops/arithmetic.ts";
import { HEAD_OPTIONS, MarginHead, type MarginHeadOptions } from "./margin-head.ts";

/** Options of `NormSoftmax`. */
export interface NormSoftmaxOptions extends MarginHeadOptions {
  /** s, what the cosines are multiplied with, above 0; 64 when left out. */
  scale?: number;
}

/** Options of `CosFace` and `ArcFace`. */
export interface CosineHeadOptions extends NormSoftmaxOptions, AdditiveMarginOptions {}

const SCALE_OPTIONS = { ...HEAD_OPTIONS, scale: true } as const;
const MARGIN_OPTIONS = { ...SCALE_OPTIONS, margin: true } as const;

/** A head whose logits are s cos θ. */
abstract class CosineHead extends MarginHead {
  readonly scale: number;

  constructor(op: string, features: number, classes: number, options: NormSoftmaxOptions) {
    super(op, features, classes, options);
    this.scale = options.scale ?? 64;
    checkPositive(op, { scale: this.scale });
  }

  override forward(x: Tensor): Tensor {
    return mul(this.cosines(x), this.scale);
  }
}

/**
 * Computes logits s cos θ from the angles between features and the classes' weights, without a
 * margin (Wang, Xiang, Cheng & Yuille 2017, "NormFace: L2 hypersphere embedding").
 * @throws ShapeError for sizes, GradusError for a scale out of its range or an unknown option.
 * @example new NormSoftmax(2, 10, { scale: 16 }).loss(features, labels);
 */
export class NormSoftmax extends CosineHead {
  constructor(
    features: number,
    classes: number,
    options: NormSoftmaxOptions = {},
    ...surplus: never[]
  ) {
    checkOptions<NormSoftmaxOptions>("NormSoftmax", options, SCALE_OPTIONS, surplus);
    super("NormSoftmax", features, classes, options);
  }

  override logits(x: Tensor, labels: Tensor): Tensor {
    this.checkTraining(x, labels);
    return this.forward(x);
  }
}

/** Options of `ArcFace`. */
export interface ArcFaceHeadOptions extends NormSoftmaxOptions, ArcFaceOptions {}

const ARC_FACE_OPTIONS: Known<ArcFaceHeadOptions> = { ...MARGIN_OPTIONS, easyMargin: "boolean" };

/** What tells heads with an additive margin apart. */
interface AdditiveMargin {
  /** m when left out. */
  readonly usual: number;
  check(op: string, margin: number): void;
  readonly logits: typeof cosFaceLogits;
}

/** A head whose logits have a margin in training that is added to a cosine or an angle. */
abstract class AdditiveHead extends CosineHead {
  readonly margin: number;
  readonly #kind: AdditiveMargin;

  constructor(
    op: string,
    kind: AdditiveMargin,
    features: number,
    classes: number,
    options: CosineHeadOptions,
  ) {
    super(op, features, classes, options);
    this.#kind = kind;
    this.margin = options.margin ?? kind.usual;
    kind.check(op, this.margin);
  }

  override logits(x: Tensor, labels: Tensor): Tensor {
    this.checkTraining(x, labels);
    const { margin, scale } = this;
    return this.#kind.logits(this.cosines(x), labels, { margin, scale });
  }
}

const COS_FACE: AdditiveMargin = {
  usual: 0.35,
  check: (op, margin) => checkRange(op, "margin", margin, 0),
  logits: cosFaceLogits,
};

/**
 * Computes logits s cos θ, in training s (cos θ_y − m) at the right class: see `cosFaceLogits`
 * (Wang et al. 2018, "CosFace", eq. 4), with s 64 and m 0.35 when left out.
 * @throws ShapeError for sizes, GradusError for options out of their range or unknown.
 * @example new CosFace(2, 10, { scale: 16 }).loss(features, labels);
 */
export class CosFace extends AdditiveHead {
  constructor(
    features: number,
    classes: number,
    options: CosineHeadOptions = {},
    ...surplus: never[]
  ) {
    checkOptions<CosineHeadOptions>("CosFace", options, MARGIN_OPTIONS, surplus);
    super("CosFace", COS_FACE, features, classes, options);
  }
}

/**
 * Computes logits s cos θ, in training s cos(θ_y + m) at the right class: see `arcFaceLogits`
 * (Deng et al. 2019, "ArcFace", eq. 3), with s 64 and m 0.5 when left out.
 * @throws ShapeError for sizes, GradusError for options out of their range or unknown.
 * @example new ArcFace(2, 10, { scale: 16 }).loss(features, labels);
 */
export class ArcFace extends AdditiveHead {
  constructor(
    features: number,
    classes: number,
    options: ArcFaceHeadOptions = {},
    ...surplus: never[]
  ) {
    checkOptions("ArcFace", options, ARC_FACE_OPTIONS, surplus);
    const { easyMargin } = options;
    const logits: typeof cosFaceLogits = (cosines, labels, margins) =>
      arcFaceLogits(cosines, labels, { ...margins, easyMargin });
    super("ArcFace", { usual: 0.5, check: checkArcMargin, logits }, features, classes, options);
  }
}
