import { checkOptions } from "../core/check.ts";
import { assignAll, State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { checkMultiplier, checkRange } from "../losses/check.ts";
import { type CrossEntropyOptions, crossEntropy } from "../losses/cross-entropy.ts";
import { largeMarginLogits } from "../losses/margins.ts";
import { add, div, maximum, mul } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { tensor } from "../ops/creation.ts";
import { l2Norm, l2Normalize } from "../ops/l2-normalize.ts";
import { matmul } from "../ops/matmul.ts";
import { HEAD_OPTIONS, MarginHead, type MarginHeadOptions } from "./margin-head.ts";

/** How λ falls with the steps t: max(minimum, start / (1 + rate · t)). */
export interface Annealing {
  /** λ of the first step, from 0; 1000 when left out. */
  start?: number;
  /** How fast it falls, from 0; 0.12 when left out. */
  rate?: number;
  /** What it stays at, from 0; 0 for `LSoftmax` and 5 for `ASoftmax` when left out. */
  minimum?: number;
}

/** Options of `LSoftmax` and `ASoftmax`. */
export interface AngleHeadOptions extends MarginHeadOptions {
  /** m, what the right class's angle is multiplied with, an integer from 1; 4 when left out. */
  margin?: number;
  /** How the weight λ of the logit without margin falls, since training would not begin else. */
  annealing?: Annealing;
}

const OPTIONS = { ...HEAD_OPTIONS, margin: true, annealing: true } as const;
const ANNEALING = { start: true, rate: true, minimum: true } as const;

/** A head whose margin multiplies angles, with the λ of the steps that it has counted. */
abstract class AngleHead extends MarginHead {
  readonly margin: number;
  readonly annealing: Required<Annealing>;
  /** How often `loss` has been called, a u32 scalar that is saved with the weights. */
  readonly step: State;

  constructor(
    op: string,
    features: number,
    classes: number,
    minimum: number,
    options: AngleHeadOptions,
    surplus: readonly unknown[],
  ) {
    checkOptions<AngleHeadOptions>(op, options, OPTIONS, surplus);
    const { annealing = {} } = options;
    checkOptions<Annealing>(`${op}: annealing`, annealing, ANNEALING);
    super(op, features, classes, options);
    this.margin = options.margin ?? 4;
    checkMultiplier(op, this.margin);
    this.annealing = { start: 1000, rate: 0.12, minimum, ...annealing };
    for (const [name, value] of Object.entries(this.annealing)) checkRange(op, name, value, 0);
    const { device } = this.weight;
    this.step = new State(tensor(0, { dtype: "u32", device }), { name: "step" });
  }

  /** λ of the present step, a scalar. */
  get lambda(): Tensor {
    const { start, rate, minimum } = this.annealing;
    const t = cast(this.step, this.weight.dtype);
    return maximum(div(start, add(mul(t, rate), 1)), minimum);
  }

  override logits(x: Tensor, labels: Tensor): Tensor {
    this.checkTraining(x, labels);
    return this.annealed(x, labels, this.lambda);
  }

  /**
   * Computes the cross-entropy of the training logits and counts a step, so that λ falls: call it
   * once in each, and for a metric take `logits`.
   */
  override loss(x: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): Tensor {
    this.checkTraining(x, labels);
    const { lambda } = this;
    // Evaluates λ, unless in a compiled step: the loss is built on the count as it was.
    assignAll([[this.step, add(this.step, 1)]], [lambda]);
    return crossEntropy(this.annealed(x, labels, lambda), labels, options);
  }

  /** The logits for a weight λ of the plain cosine. */
  protected abstract annealed(x: Tensor, labels: Tensor, lambda: Tensor): Tensor;
}

/**
 * Computes logits x·W = ‖w_j‖ ‖x‖ cos θ_j, in training with ψ(θ_y) in place of cos θ_y at the right
 * class, annealed: see `largeMarginLogits` (Liu, Wen, Yu & Yang 2016, "Large-margin softmax loss").
 * @throws ShapeError for sizes, GradusError for options out of their range or unknown.
 * @example new LSoftmax(2, 10, { margin: 3 }).loss(features, labels);
 */
export class LSoftmax extends AngleHead {
  constructor(
    features: number,
    classes: number,
    options: AngleHeadOptions = {},
    ...surplus: never[]
  ) {
    super("LSoftmax", features, classes, 0, options, surplus);
  }

  override forward(x: Tensor): Tensor {
    this.checkInput(x);
    return matmul(x, this.weight);
  }

  protected override annealed(x: Tensor, labels: Tensor, lambda: Tensor): Tensor {
    const { margin } = this;
    const cosines = this.cosines(x);
    const lengths = mul(
      l2Norm(x, { axis: 1, keepDims: true }),
      l2Norm(this.weight, { axis: 0, keepDims: true }),
    );
    return largeMarginLogits(cosines, lengths, labels, { margin, lambda });
  }
}

/**
 * Computes logits ‖x‖ cos θ_j, of weights of unit length, in training with ψ(θ_y) in place of
 * cos θ_y at the right class, annealed: see `largeMarginLogits` (Liu et al. 2017, "SphereFace").
 * @throws ShapeError for sizes, GradusError for options out of their range or unknown.
 * @example new ASoftmax(2, 10).loss(features, labels);
 */
export class ASoftmax extends AngleHead {
  constructor(
    features: number,
    classes: number,
    options: AngleHeadOptions = {},
    ...surplus: never[]
  ) {
    super("ASoftmax", features, classes, 5, options, surplus);
  }

  override forward(x: Tensor): Tensor {
    this.checkInput(x);
    return matmul(x, l2Normalize(this.weight, { axis: 0 }));
  }

  protected override annealed(x: Tensor, labels: Tensor, lambda: Tensor): Tensor {
    const { margin } = this;
    const lengths = l2Norm(x, { axis: 1, keepDims: true });
    return largeMarginLogits(this.cosines(x), lengths, labels, { margin, lambda });
  }
}
