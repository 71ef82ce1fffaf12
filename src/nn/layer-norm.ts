import { checkOptions, type Known } from "../core/check.ts";
import type { Shape } from "../core/shape.ts";
import type { Parameter } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { lastSizes, layerNormOf, rmsNormOf } from "../ops/layer-norm.ts";
import {
  LOCAL_RESPONSE,
  type LocalResponseNormOptions,
  localResponseNormOf,
} from "../ops/local-response-norm.ts";
import { checkEpsilon } from "../ops/normalized.ts";
import { Module } from "./module.ts";
import { NORM_SETTINGS, type NormSettings, onesOf, zerosOf } from "./scale.ts";

/** Options of `LayerNorm`. */
export interface LayerNormLayerOptions extends NormSettings {
  /** Whether elements are scaled and shifted by parameters; true when left out. */
  elementwiseAffine?: boolean;
  /** Whether there is a bias among these; true when left out. */
  bias?: boolean;
}

/** Options of `RMSNorm`. */
export interface RMSNormLayerOptions extends Omit<NormSettings, "epsilon"> {
  /** ε, added to the mean square, a finite number from 0; 2⁻²³ when left out. */
  epsilon?: number;
  /** Whether elements are scaled by a parameter; true when left out. */
  elementwiseAffine?: boolean;
}

const RMS_NORM_LAYER: Known<RMSNormLayerOptions> = {
  ...NORM_SETTINGS,
  elementwiseAffine: "boolean",
};
const LAYER_NORM_LAYER: Known<LayerNormLayerOptions> = { ...RMS_NORM_LAYER, bias: "boolean" };

/**
 * Normalises the last axes, as `layerNorm` does, with parameters for each element.
 * @throws ShapeError, when it is called, for other last axes.
 * @example new Sequential(new Linear(784, 64), new LayerNorm(64), relu);
 */
export class LayerNorm extends Module {
  /** Sizes of the last axes. */
  readonly normalizedShape: Shape;
  /** What elements are multiplied with; null without `elementwiseAffine`. */
  readonly weight: Parameter | null;
  /** What is added to elements; null without `elementwiseAffine` or `bias`. */
  readonly bias: Parameter | null;
  readonly #epsilon: number;

  constructor(
    normalizedShape: number | Shape,
    options: LayerNormLayerOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions("LayerNorm", options, LAYER_NORM_LAYER, surplus);
    const { epsilon = 1e-5, elementwiseAffine = true, bias = true } = options;
    checkEpsilon("LayerNorm", epsilon);
    this.normalizedShape = lastSizes("LayerNorm", normalizedShape);
    this.weight = elementwiseAffine ? onesOf(this.normalizedShape, options) : null;
    this.bias = elementwiseAffine && bias ? zerosOf(this.normalizedShape, options) : null;
    this.#epsilon = epsilon;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias } = this;
    const own = { epsilon: this.#epsilon, ...(weight && { weight }), ...(bias && { bias }) };
    return layerNormOf("LayerNorm", x, this.normalizedShape, own, []);
  }
}

/**
 * Divides by the root of the mean square over the last axes, as `rmsNorm` does, with a parameter for
 * each element.
 * @throws ShapeError, when it is called, for other last axes.
 */
export class RMSNorm extends Module {
  /** Sizes of the last axes. */
  readonly normalizedShape: Shape;
  /** What elements are multiplied with; null without `elementwiseAffine`. */
  readonly weight: Parameter | null;
  readonly #epsilon: number;

  constructor(
    normalizedShape: number | Shape,
    options: RMSNormLayerOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions("RMSNorm", options, RMS_NORM_LAYER, surplus);
    const { epsilon = 2 ** -23, elementwiseAffine = true } = options;
    checkEpsilon("RMSNorm", epsilon);
    this.normalizedShape = lastSizes("RMSNorm", normalizedShape);
    this.weight = elementwiseAffine ? onesOf(this.normalizedShape, options) : null;
    this.#epsilon = epsilon;
  }

  override forward(x: Tensor): Tensor {
    const { weight } = this;
    const own = { epsilon: this.#epsilon, ...(weight && { weight }) };
    return rmsNormOf("RMSNorm", x, this.normalizedShape, own, []);
  }
}

/** Divides each element by what channels beside it have, as `localResponseNorm` does. */
export class LocalResponseNorm extends Module {
  readonly #options: LocalResponseNormOptions;

  /** @param size how many channels, from 1. */
  constructor(
    readonly size: number,
    options: LocalResponseNormOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions("LocalResponseNorm", options, LOCAL_RESPONSE, surplus);
    this.#options = { ...options };
  }

  override forward(x: Tensor): Tensor {
    return localResponseNormOf("LocalResponseNorm", x, this.size, this.#options, []);
  }
}
