import { checkOptions, checkSizes, type Known } from "../core/check.ts";
import type { Parameter } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Layout1d, Layout2d, Layout3d } from "../ops/channels.ts";
import { checkGroups } from "../ops/conv.ts";
import { groupNormOf } from "../ops/group-norm.ts";
import { checkEpsilon } from "../ops/normalized.ts";
import { Module } from "./module.ts";
import { rankOf } from "./rank.ts";
import {
  channelsOf,
  checkChannels,
  NORM_SETTINGS,
  type NormSettings,
  onesOf,
  zerosOf,
} from "./scale.ts";

/** Options of `GroupNorm`. */
export interface GroupNormLayerOptions extends NormSettings {
  /** Whether channels are scaled and shifted by parameters; true when left out. */
  affine?: boolean;
  /** The axis of channels, counted from the end when negative; 1 when left out. */
  axis?: number;
}

/** Options of `InstanceNorm1d`, `InstanceNorm2d` and `InstanceNorm3d`. */
export interface InstanceNormOptions<Layout extends string = Layout2d> extends NormSettings {
  /** Whether channels are scaled and shifted by parameters; false when left out, as in PyTorch. */
  affine?: boolean;
  /** The order of inputs' axes; channels follow n when left out. */
  layout?: Layout;
}

const GROUP_NORM_LAYER: Known<GroupNormLayerOptions> = {
  ...NORM_SETTINGS,
  affine: "boolean",
  axis: true,
};
const INSTANCE_NORM: Known<InstanceNormOptions> = {
  ...NORM_SETTINGS,
  affine: "boolean",
  layout: "string",
};

/**
 * Normalises groups of channels of each example, as `groupNorm` does, with parameters for each channel.
 * @throws ShapeError for groups that do not divide the channels, and inputs of other channels.
 * @example new Sequential(new Conv2d(3, 16, 3), new GroupNorm(4, 16), relu);
 */
export class GroupNorm extends Module {
  /** What channels are multiplied with, `[channels]`; null without `affine`. */
  readonly weight: Parameter | null;
  /** What is added to channels, `[channels]`; null without `affine`. */
  readonly bias: Parameter | null;
  readonly #axis: number;
  readonly #epsilon: number;

  constructor(
    readonly groups: number,
    readonly channels: number,
    options: GroupNormLayerOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions("GroupNorm", options, GROUP_NORM_LAYER, surplus);
    checkSizes("GroupNorm", { groups, channels });
    checkGroups("GroupNorm", channels, groups);
    const { epsilon = 1e-5, affine = true, axis = 1 } = options;
    checkEpsilon("GroupNorm", epsilon);
    this.weight = affine ? onesOf([channels], options) : null;
    this.bias = affine ? zerosOf([channels], options) : null;
    this.#axis = axis;
    this.#epsilon = epsilon;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias } = this;
    const own = {
      axis: this.#axis,
      epsilon: this.#epsilon,
      ...(weight && bias && { weight, bias }),
    };
    return groupNormOf("GroupNorm", x, this.groups, own, []);
  }
}

/** Normalises each channel of each example. */
abstract class InstanceNormLayer extends Module {
  /** What channels are multiplied with, `[channels]`; null without `affine`. */
  readonly weight: Parameter | null;
  /** What is added to channels, `[channels]`; null without `affine`. */
  readonly bias: Parameter | null;
  readonly #name: string;
  readonly #axis: 1 | -1;
  readonly #epsilon: number;

  constructor(
    name: string,
    readonly channels: number,
    options: InstanceNormOptions<string>,
    surplus: readonly unknown[],
  ) {
    super();
    checkOptions(name, options as InstanceNormOptions, INSTANCE_NORM, surplus);
    checkSizes(name, { channels });
    const { epsilon = 1e-5, affine = false } = options;
    checkEpsilon(name, epsilon);
    this.weight = affine ? onesOf([channels], options) : null;
    this.bias = affine ? zerosOf([channels], options) : null;
    this.#name = name;
    this.#axis = channelsOf(name, rankOf(name), options.layout);
    this.#epsilon = epsilon;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias } = this;
    checkChannels(this.#name, x, [rankOf(this.#name) + 2], this.#axis, this.channels);
    const own = {
      axis: this.#axis,
      epsilon: this.#epsilon,
      ...(weight && bias && { weight, bias }),
    };
    return groupNormOf(this.#name, x, null, own, []);
  }
}

/** Normalises each channel of each of some series: see `InstanceNorm2d`. */
export class InstanceNorm1d extends InstanceNormLayer {
  constructor(channels: number, options: InstanceNormOptions<Layout1d> = {}, ...surplus: never[]) {
    super("InstanceNorm1d", channels, options, surplus);
  }
}

/**
 * Normalises each channel of each image, as `instanceNorm` does, without parameters unless `affine`.
 * @throws ShapeError for inputs that are not `[n, channels, height, width]`.
 */
export class InstanceNorm2d extends InstanceNormLayer {
  constructor(channels: number, options: InstanceNormOptions = {}, ...surplus: never[]) {
    super("InstanceNorm2d", channels, options, surplus);
  }
}

/** Normalises each channel of each of some volumes: see `InstanceNorm2d`. */
export class InstanceNorm3d extends InstanceNormLayer {
  constructor(channels: number, options: InstanceNormOptions<Layout3d> = {}, ...surplus: never[]) {
    super("InstanceNorm3d", channels, options, surplus);
  }
}
