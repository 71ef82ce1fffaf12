import { checkOptions, checkSizes, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { Parameter, State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { batchNormOf } from "../ops/batch-norm.ts";
import type { Layout1d, Layout2d, Layout3d } from "../ops/channels.ts";
import { checkGroups } from "../ops/conv.ts";
import { groupNormOf } from "../ops/group-norm.ts";
import { moments } from "../ops/moments.ts";
import { checkEpsilon } from "../ops/normalized.ts";
import { mean } from "../ops/reduce.ts";
import { Module } from "./module.ts";
import { rankOf } from "./rank.ts";
import { checkMomentum, runningStats, trackStats } from "./running-stats.ts";
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
  /** How much of a batch's statistics running ones take, from 0 to 1; 0.1 when left out. */
  momentum?: number;
  /** Whether running statistics are kept, for evaluation; false when left out, as in PyTorch. */
  trackRunningStats?: boolean;
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
  momentum: "number",
  trackRunningStats: "boolean",
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
  /** Running means, `[channels]`; null unless they are kept. */
  readonly runningMean: State | null;
  /** Running variances, each of n − 1 elements, `[channels]`; null unless they are kept. */
  readonly runningVar: State | null;
  /** What files of PyTorch have beside them, which stays 0; null unless they are kept. */
  readonly numBatchesTracked: State | null;
  readonly #name: string;
  readonly #axis: 1 | -1;
  readonly #epsilon: number;
  readonly #momentum: number;

  constructor(
    name: string,
    readonly channels: number,
    options: InstanceNormOptions<string>,
    surplus: readonly unknown[],
  ) {
    super();
    checkOptions(name, options as InstanceNormOptions, INSTANCE_NORM, surplus);
    checkSizes(name, { channels });
    const { epsilon = 1e-5, affine = false, momentum = 0.1, trackRunningStats = false } = options;
    checkEpsilon(name, epsilon);
    checkMomentum(name, momentum);
    this.weight = affine ? onesOf([channels], options) : null;
    this.bias = affine ? zerosOf([channels], options) : null;
    const running = runningStats(trackRunningStats, [channels], options);
    this.runningMean = running.runningMean;
    this.runningVar = running.runningVar;
    this.numBatchesTracked = running.numBatchesTracked;
    this.#momentum = momentum;
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
    const { runningMean, runningVar } = this;
    if (runningMean && runningVar) {
      if (!this.training) {
        const kept = { ...own, mean: runningMean, variance: runningVar };
        return batchNormOf(this.#name, x, kept, []);
      }
      this.#track(x, runningMean, runningVar);
    }
    return groupNormOf(this.#name, x, null, own, []);
  }

  /** Takes the means of images' statistics into the running ones. */
  #track(x: Tensor, runningMean: State, runningVar: State): void {
    const [n] = x.shape;
    const axis = this.#axis < 0 ? 1 : 2;
    const rank = rankOf(this.#name);
    const count = x.size / Math.max(1, n * this.channels);
    if (count === 1) {
      throw new ShapeError(
        `${this.#name}: input ${formatShape(x.shape)} has one value for each channel of an example; ` +
          "expected more in training mode",
      );
    }
    if (count === 0 || n === 0) return;
    const axes = Array.from({ length: rank }, (_, i) => axis + i);
    const { mean: means, variance } = moments(x, { axis: axes, correction: 1 }); // [n, channels]
    const [own, unbiased] = [means, variance].map((all) => mean(all, { axis: 0 }));
    const pairs = [[runningMean, own] as const, [runningVar, unbiased] as const];
    trackStats(x, pairs, this.#momentum);
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
 * With `trackRunningStats` it takes the means over the batch of images' means and variances into running
 * ones in training mode, (1 − momentum) · running + momentum · the batch's, and normalises by these in
 * evaluation mode.
 * @throws ShapeError for inputs that are not `[n, channels, height, width]`, and for images of one value
 * for each channel in training mode where running ones are kept.
 * @example new InstanceNorm2d(16, { affine: true, trackRunningStats: true });
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
