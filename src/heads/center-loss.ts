import { checkOptions, checkSizes, type Known } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import type { Device } from "../graph/device.ts";
import { assignAll, State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { centerLossOf, checkCenters, chooseCenters, lossOfChosen } from "../losses/center.ts";
import { checkRange } from "../losses/check.ts";
import { LOSS_OPTIONS, type LossOptions } from "../losses/reduction.ts";
import { Module } from "../nn/module.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import { hotRows, zeros } from "../ops/creation.ts";
import { pairwiseSquaredDistances } from "../ops/distances.ts";
import { matmul } from "../ops/matmul.ts";
import { sum } from "../ops/reduce.ts";
import { expandDims, transpose } from "../ops/reshape.ts";
import { labelsOf } from "../ops/targets.ts";

/** Options of `CenterLoss`. */
export interface CenterLossOptions {
  /** α, how far a center moves towards its examples, from 0 to 1; 0.5 when left out. */
  rate?: number;
  /** The device of `init` when left out. */
  device?: Device;
  /** `f32` when left out. */
  dtype?: DType;
}

const OPTIONS: Known<CenterLossOptions> = { rate: "number", device: true, dtype: "string" };

/**
 * The center loss with its centers, which follow the features by a rule of their own and are no
 * parameters, but states that are saved (Wen et al. 2016, eq. 2-4). They begin at 0.
 *
 * `lossAndUpdate` serves both compiled steps and single ones. In a compiled step `loss` followed by
 * `update` is the same; in single steps a loss built by `loss` must be evaluated, and its gradients
 * with it, before `update` changes the centers.
 * @throws ShapeError for sizes that are no positive integers, GradusError for a rate out of its
 * range or an unknown option.
 * @example
 * const loss = ({ body, head, centers }: Net, { images, labels }: Batch) => {
 *   const features = body.call(images);
 *   const pull = centers.lossAndUpdate(features, labels);
 *   return add(head.loss(features, labels), mul(pull, 0.01));
 * };
 */
export class CenterLoss extends Module {
  /** c of shape `[classes, features]`. */
  readonly centers: State;
  readonly rate: number;

  constructor(
    readonly features: number,
    readonly classes: number,
    options: CenterLossOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkSizes("CenterLoss", { features, classes });
    checkOptions<CenterLossOptions>("CenterLoss", options, OPTIONS, surplus);
    const { rate = 0.5, device, dtype } = options;
    checkRange("CenterLoss", "rate", rate, 0, 1);
    this.rate = rate;
    this.centers = new State(zeros([classes, features], { device, dtype }), { name: "centers" });
  }

  /** Computes −½‖x − c_j‖², `[n, classes]`, logits of the class whose center is nearest. */
  override forward(x: Tensor): Tensor {
    return mul(pairwiseSquaredDistances(x, this.centers), -0.5);
  }

  /** Computes `centerLoss` with the present centers. */
  loss(features: Tensor, labels: Tensor, options: LossOptions = {}): Tensor {
    checkOptions<LossOptions>("CenterLoss", options, LOSS_OPTIONS);
    return centerLossOf("CenterLoss", features, labels, this.centers, options);
  }

  /**
   * Moves the centers: c_j ← c_j − α Σᵢ δ(yᵢ = j) (c_j − xᵢ) / (1 + Σᵢ δ(yᵢ = j)) (eq. 4).
   * Arguments and errors are those of `loss`.
   */
  update(features: Tensor, labels: Tensor): void {
    this.#move(features, labels, []);
  }

  /** Computes `loss` with the present centers, and moves them by `update`. */
  lossAndUpdate(features: Tensor, labels: Tensor, options: LossOptions = {}): Tensor {
    checkOptions<LossOptions>("CenterLoss", options, LOSS_OPTIONS);
    checkCenters("CenterLoss", features, this.centers);
    const classes = labelsOf("CenterLoss", labels, features.shape[0]);
    const chosen = chooseCenters(classes, this.centers);
    this.#move(features, labels, [chosen.centers]);
    return lossOfChosen("CenterLoss", features, chosen, options);
  }

  /** Assigns the centers; `also` keeps its values from before. */
  #move(features: Tensor, labels: Tensor, also: readonly Tensor[]): void {
    const { centers, rate } = this;
    checkCenters("CenterLoss", features, centers);
    const classes = labelsOf("CenterLoss", labels, features.shape[0]);
    const member = hotRows(classes, this.classes, features.dtype); // [n, classes]
    const counts = expandDims(sum(member, { axis: 0 }), 1);
    const totals = matmul(transpose(member), features);
    const away = div(sub(mul(centers, counts), totals), add(counts, 1));
    assignAll([[centers, sub(centers, mul(away, rate))]], also);
  }
}
