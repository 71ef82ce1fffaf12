import { checkFinite, checkIntegers, checkOptions, checkSizes, type Known } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, normalizeAxis } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { Parameter } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { full } from "../ops/creation.ts";
import { prelu } from "../ops/piecewise.ts";
import { reshape } from "../ops/reshape.ts";
import { Module } from "./module.ts";

/** Options of `PReLU`. */
export interface PReLUOptions {
  /** What slopes begin with, a finite number; 0.25 when left out. */
  init?: number;
  /** The axis of the channels; 1 when left out. */
  axis?: number;
  /** The device of `init` when left out. */
  device?: Device;
  /** `f32` when left out. */
  dtype?: DType;
}

const PRELU: Known<PReLUOptions> = { init: "number", axis: true, device: true, dtype: "string" };

/**
 * Computes x for x > 0 and slope · x elsewhere, as `prelu` does, with a slope of all or one for each
 * channel, which is trained.
 * Source: He, Zhang, Ren, Sun 2015, "Delving deep into rectifiers", eq. 1.
 * @throws ShapeError for channels that are no positive integer, and inputs of others.
 * @example new Sequential(new Conv2d(3, 16, 3), new PReLU(16));
 */
export class PReLU extends Module {
  /** Slopes, `[channels]`. */
  readonly weight: Parameter;
  readonly #axis: number;

  /** @param channels 1 for one slope of all. */
  constructor(
    readonly channels = 1,
    options: PReLUOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions("PReLU", options, PRELU, surplus);
    checkSizes("PReLU", { channels });
    const { init = 0.25, axis = 1, device, dtype } = options;
    checkFinite("PReLU", { init });
    checkIntegers("PReLU", { axis });
    this.weight = new Parameter(full([channels], init, { device, dtype }), { name: "weight" });
    this.#axis = axis;
  }

  override forward(x: Tensor): Tensor {
    const { channels, weight } = this;
    if (channels === 1) return prelu(x, reshape(weight, []));
    const axis = normalizeAxis("PReLU", this.#axis, x.rank);
    if (x.shape[axis] !== channels) {
      throw new ShapeError(
        `PReLU: input ${formatShape(x.shape)}; expected ${channels} channels on axis ${axis}`,
      );
    }
    return prelu(x, reshape(weight, [channels, ...Array(x.rank - axis - 1).fill(1)]));
  }
}
