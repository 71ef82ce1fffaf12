import { checkOptions, checkSizes, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { Parameter, State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, mul } from "../ops/arithmetic.ts";
import { batchNormOf, channelMoments } from "../ops/batch-norm.ts";
import { cast } from "../ops/cast.ts";
import type { Layout1d, Layout2d, Layout3d } from "../ops/channels.ts";
import { checkEpsilon } from "../ops/normalized.ts";
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

/** Options of `BatchNorm1d`, `BatchNorm2d` and `BatchNorm3d`. */
export interface BatchNormLayerOptions<Layout extends string = Layout2d> extends NormSettings {
  /**
   * How much of a batch's statistics running ones take, from 0 to 1; 0.1 when left out. With null they
   * are the averages of all batches' so far.
   */
  momentum?: number | null;
  /** Whether channels are scaled and shifted by parameters; true when left out. */
  affine?: boolean;
  /** Whether running statistics are kept, for evaluation; true when left out. */
  trackRunningStats?: boolean;
  /** The order of inputs' axes; channels follow n when left out. */
  layout?: Layout;
}

const BATCH_NORM_LAYER: Known<BatchNormLayerOptions> = {
  ...NORM_SETTINGS,
  momentum: true,
  affine: "boolean",
  trackRunningStats: "boolean",
  layout: "string",
};

/** Normalises channels by a batch's statistics in training mode, else by running ones. */
abstract class BatchNormLayer extends Module {
  /** What channels are multiplied with, `[channels]`; null without `affine`. */
  readonly weight: Parameter | null;
  /** What is added to channels, `[channels]`; null without `affine`. */
  readonly bias: Parameter | null;
  /** Running means, `[channels]`; null unless they are kept. */
  readonly runningMean: State | null;
  /** Running variances, each of n − 1 elements, `[channels]`; null unless they are kept. */
  readonly runningVar: State | null;
  /** How many batches they have seen, an i32 scalar; null unless they are kept. */
  readonly numBatchesTracked: State | null;
  readonly #name: string;
  readonly #axis: 1 | -1;
  readonly #epsilon: number;
  readonly #momentum: number | null;

  constructor(
    name: string,
    readonly channels: number,
    options: BatchNormLayerOptions<string>,
    surplus: readonly unknown[],
  ) {
    super();
    checkOptions(name, options as BatchNormLayerOptions, BATCH_NORM_LAYER, surplus);
    checkSizes(name, { channels });
    const { epsilon = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    checkEpsilon(name, epsilon);
    checkMomentum(name, momentum);
    const shape = [channels];
    this.weight = affine ? onesOf(shape, options) : null;
    this.bias = affine ? zerosOf(shape, options) : null;
    const running = runningStats(trackRunningStats, shape, options);
    this.runningMean = running.runningMean;
    this.runningVar = running.runningVar;
    this.numBatchesTracked = running.numBatchesTracked;
    this.#name = name;
    this.#axis = channelsOf(name, rankOf(name), options.layout);
    this.#epsilon = epsilon;
    this.#momentum = momentum;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar } = this;
    const rank = rankOf(this.#name);
    checkChannels(this.#name, x, rank === 1 ? [2, 3] : [rank + 2], this.#axis, this.channels);
    const own = {
      axis: this.#axis,
      epsilon: this.#epsilon,
      ...(weight && bias && { weight, bias }),
    };
    if (this.training || !runningMean || !runningVar) {
      if (this.training && x.size === this.channels) {
        throw new ShapeError(
          `${this.#name}: input ${formatShape(x.shape)} has one value for each channel; expected more ` +
            "in training mode",
        );
      }
      if (this.training) this.#track(x);
      return batchNormOf(this.#name, x, own, []);
    }
    return batchNormOf(this.#name, x, { ...own, mean: runningMean, variance: runningVar }, []);
  }

  /** Takes a batch's statistics into the running ones. */
  #track(x: Tensor): void {
    const { runningMean, runningVar, numBatchesTracked } = this;
    if (!runningMean || !runningVar || !numBatchesTracked) return;
    const axis = this.#axis < 0 ? x.rank - 1 : 1;
    const { mean, variance } = channelMoments(this.#name, x, axis);
    const n = x.size / Math.max(1, this.channels);
    const unbiased = mul(variance, n / Math.max(1, n - 1));
    const count = add(numBatchesTracked, 1);
    const share = this.#momentum ?? div(1, cast(count, x.dtype));
    const pairs = [[runningMean, mean] as const, [runningVar, unbiased] as const];
    trackStats(x, pairs, share, [[numBatchesTracked, count]]);
  }
}

/** Normalises channels of series `[n, channels]` or `[n, channels, width]`: see `BatchNorm2d`. */
export class BatchNorm1d extends BatchNormLayer {
  constructor(
    channels: number,
    options: BatchNormLayerOptions<Layout1d> = {},
    ...surplus: never[]
  ) {
    super("BatchNorm1d", channels, options, surplus);
  }
}

/**
 * Normalises channels of images: in training mode by the mean and the variance of the batch, which it
 * also takes into running ones, and in evaluation mode by these. `trainStep` sets training mode itself.
 * Running ones begin with 0 and 1, and become (1 − momentum) · running + momentum · the batch's.
 * Source: Ioffe & Szegedy 2015, "Batch normalization", algorithms 1 and 2.
 * @throws ShapeError for inputs that are not `[n, channels, height, width]`, and for batches of one
 * value for each channel in training mode.
 * @example new Sequential(new Conv2d(3, 16, 3, { bias: false }), new BatchNorm2d(16), relu);
 */
export class BatchNorm2d extends BatchNormLayer {
  constructor(channels: number, options: BatchNormLayerOptions = {}, ...surplus: never[]) {
    super("BatchNorm2d", channels, options, surplus);
  }
}

/** Normalises channels of volumes `[n, channels, depth, height, width]`: see `BatchNorm2d`. */
export class BatchNorm3d extends BatchNormLayer {
  constructor(
    channels: number,
    options: BatchNormLayerOptions<Layout3d> = {},
    ...surplus: never[]
  ) {
    super("BatchNorm3d", channels, options, surplus);
  }
}
