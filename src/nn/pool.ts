import { checkOptions, checkPositive, type Known } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import {
  ADAPTIVE,
  ADAPTIVE_MAX,
  type AdaptiveMaxPoolOptions,
  type AdaptivePoolOptions,
  adaptiveAvgPool,
  adaptiveMaxPool,
  type OutputSize,
  sizesOfResult,
} from "../ops/adaptive-pool.ts";
import { AVG_POOL, type AvgPoolOptions, avgPool, LP_POOL, lpPool } from "../ops/avg-pool.ts";
import { batchAxes, type Layout1d, type Layout3d } from "../ops/channels.ts";
import { MAX_POOL, type MaxPooled, type MaxPoolOptions, maxPool } from "../ops/max-pool.ts";
import { checkHalf, type PoolOptions } from "../ops/pool.ts";
import { edgesOf, forEachAxis, type PerAxis } from "../ops/sliding.ts";
import { Module } from "./module.ts";
import { rankOf } from "./rank.ts";
import { checkSliding } from "./sliding-options.ts";

/** What a layer of pooling computes. */
type Compute<Size, Options> = (
  op: string,
  rank: number,
  x: Tensor,
  size: Size,
  options: Options,
  surplus: readonly unknown[],
) => unknown;

/** Throws what a call throws for how windows lie, whatever the input is. */
type WindowCheck<Size, Options> = (name: string, size: Size, options: Options) => void;

/** Checks windows of a size. */
function checkWindowed(
  name: string,
  size: PerAxis,
  options: PoolOptions<string> & { dilation?: PerAxis; divisorOverride?: number },
): void {
  const axes = checkSliding(name, options, true);
  const lengths = forEachAxis(name, "size", size, axes, 1);
  const { padding = 0, divisorOverride } = options;
  const dilation = forEachAxis(name, "dilation", options.dilation ?? 1, axes, 1);
  if (divisorOverride !== undefined) checkPositive(name, { divisorOverride });
  if (typeof padding === "string") return;
  const edges = edgesOf(name, padding, axes);
  const one = (i: number) => ({ size: lengths[i], dilation: dilation[i], stride: 1 });
  checkHalf(
    name,
    edges.map(([before, after], i) => ({ ...one(i), before, after })),
  );
}

/** Checks the size of a result. */
function checkAdaptive(
  name: string,
  size: OutputSize,
  { layout }: AdaptivePoolOptions<string>,
): void {
  sizesOfResult(name, size, batchAxes(name, rankOf(name), layout));
}

/** A layer of pooling, of windows or to a size. */
abstract class PoolLayer<Size, Options extends object, Out = Tensor> extends Module<
  [x: Tensor],
  Out
> {
  readonly #compute: Compute<Size, Options>;
  readonly #name: string;
  readonly #size: Size;
  readonly #options: Options;

  constructor(
    compute: Compute<Size, Options>,
    check: WindowCheck<Size, Options>,
    name: string,
    size: Size,
    options: Options,
    known: Known<Options>,
    surplus: readonly unknown[],
  ) {
    super();
    checkOptions(name, options, known, surplus);
    check(name, size, options);
    this.#compute = compute;
    this.#name = name;
    this.#size = size;
    this.#options = { ...options };
  }

  override forward(x: Tensor): Out {
    const name = this.#name;
    return this.#compute(name, rankOf(name), x, this.#size, this.#options, []) as Out;
  }
}

/** Takes the largest element of each window over series, as `maxPool1d` does. */
export class MaxPool1d<Indices extends boolean = false> extends PoolLayer<
  PerAxis,
  MaxPoolOptions<Layout1d>,
  Indices extends true ? MaxPooled : Tensor
> {
  /** @param size elements of a window: one number for all axes, or one for each. */
  constructor(
    size: PerAxis,
    options: MaxPoolOptions<Layout1d> & { returnIndices?: Indices } = {},
    ...surplus: never[]
  ) {
    super(maxPool, checkWindowed, "MaxPool1d", size, options, MAX_POOL, surplus);
  }
}

/**
 * Takes the largest element of each window over images, as `maxPool2d` does. With `returnIndices` a call
 * gives `{ values, indices }`, as `MaxUnpool2d` takes them.
 * @example
 * const pool = new MaxPool2d(2, { returnIndices: true });
 * const { values, indices } = pool.call(ones([1, 3, 5, 5]));
 * new MaxUnpool2d(2).call(values, indices, [5, 5]).shape; // [1, 3, 5, 5]
 */
export class MaxPool2d<Indices extends boolean = false> extends PoolLayer<
  PerAxis,
  MaxPoolOptions,
  Indices extends true ? MaxPooled : Tensor
> {
  /** @param size elements of a window: one number for all axes, or one for each. */
  constructor(
    size: PerAxis,
    options: MaxPoolOptions & { returnIndices?: Indices } = {},
    ...surplus: never[]
  ) {
    super(maxPool, checkWindowed, "MaxPool2d", size, options, MAX_POOL, surplus);
  }
}

/** Takes the largest element of each window over volumes, as `maxPool3d` does. */
export class MaxPool3d<Indices extends boolean = false> extends PoolLayer<
  PerAxis,
  MaxPoolOptions<Layout3d>,
  Indices extends true ? MaxPooled : Tensor
> {
  /** @param size elements of a window: one number for all axes, or one for each. */
  constructor(
    size: PerAxis,
    options: MaxPoolOptions<Layout3d> & { returnIndices?: Indices } = {},
    ...surplus: never[]
  ) {
    super(maxPool, checkWindowed, "MaxPool3d", size, options, MAX_POOL, surplus);
  }
}

/** Averages each window over series, as `avgPool1d` does. */
export class AvgPool1d extends PoolLayer<PerAxis, AvgPoolOptions<Layout1d>> {
  /** @param size elements of a window: one number for all axes, or one for each. */
  constructor(size: PerAxis, options: AvgPoolOptions<Layout1d> = {}, ...surplus: never[]) {
    super(avgPool, checkWindowed, "AvgPool1d", size, options, AVG_POOL, surplus);
  }
}

/** Averages each window over images, as `avgPool2d` does. */
export class AvgPool2d extends PoolLayer<PerAxis, AvgPoolOptions> {
  /** @param size elements of a window: one number for all axes, or one for each. */
  constructor(size: PerAxis, options: AvgPoolOptions = {}, ...surplus: never[]) {
    super(avgPool, checkWindowed, "AvgPool2d", size, options, AVG_POOL, surplus);
  }
}

/** Averages each window over volumes, as `avgPool3d` does. */
export class AvgPool3d extends PoolLayer<PerAxis, AvgPoolOptions<Layout3d>> {
  /** @param size elements of a window: one number for all axes, or one for each. */
  constructor(size: PerAxis, options: AvgPoolOptions<Layout3d> = {}, ...surplus: never[]) {
    super(avgPool, checkWindowed, "AvgPool3d", size, options, AVG_POOL, surplus);
  }
}

/** Takes norms of windows, of a power. */
abstract class LPPoolLayer extends PoolLayer<PerAxis, PoolOptions<string>> {
  constructor(
    name: string,
    readonly power: number,
    size: PerAxis,
    options: PoolOptions<string>,
    surplus: readonly unknown[],
  ) {
    const compute = (op: string, rank: number, x: Tensor, own: PerAxis, of: PoolOptions<string>) =>
      lpPool(op, rank, x, power, own, of, []);
    super(compute, checkWindowed, name, size, options, LP_POOL, surplus);
    checkPositive(name, { power });
  }
}

/** Takes the norm (Σ |x|ᵖ)^(1/p) of each window over series, as `lpPool1d` does. */
export class LPPool1d extends LPPoolLayer {
  /**
   * @param power p, a finite number above 0.
   * @param size elements of a window: one number for all axes, or one for each.
   */
  constructor(
    power: number,
    size: PerAxis,
    options: PoolOptions<Layout1d> = {},
    ...surplus: never[]
  ) {
    super("LPPool1d", power, size, options, surplus);
  }
}

/** Takes the norm (Σ |x|ᵖ)^(1/p) of each window over images, as `lpPool2d` does. */
export class LPPool2d extends LPPoolLayer {
  /**
   * @param power p, a finite number above 0.
   * @param size elements of a window: one number for all axes, or one for each.
   */
  constructor(power: number, size: PerAxis, options: PoolOptions = {}, ...surplus: never[]) {
    super("LPPool2d", power, size, options, surplus);
  }
}

/** Takes the norm (Σ |x|ᵖ)^(1/p) of each window over volumes, as `lpPool3d` does. */
export class LPPool3d extends LPPoolLayer {
  /**
   * @param power p, a finite number above 0.
   * @param size elements of a window: one number for all axes, or one for each.
   */
  constructor(
    power: number,
    size: PerAxis,
    options: PoolOptions<Layout3d> = {},
    ...surplus: never[]
  ) {
    super("LPPool3d", power, size, options, surplus);
  }
}

/** Averages series to a size, as `adaptiveAvgPool1d` does. */
export class AdaptiveAvgPool1d extends PoolLayer<OutputSize, AdaptivePoolOptions<Layout1d>> {
  /** @param size of the result: one number for all axes, or one for each, null for the own. */
  constructor(size: OutputSize, options: AdaptivePoolOptions<Layout1d> = {}, ...surplus: never[]) {
    super(adaptiveAvgPool, checkAdaptive, "AdaptiveAvgPool1d", size, options, ADAPTIVE, surplus);
  }
}

/** Averages images to a size, as `adaptiveAvgPool2d` does. */
export class AdaptiveAvgPool2d extends PoolLayer<OutputSize, AdaptivePoolOptions> {
  /** @param size of the result: one number for all axes, or one for each, null for the own. */
  constructor(size: OutputSize, options: AdaptivePoolOptions = {}, ...surplus: never[]) {
    super(adaptiveAvgPool, checkAdaptive, "AdaptiveAvgPool2d", size, options, ADAPTIVE, surplus);
  }
}

/** Averages volumes to a size, as `adaptiveAvgPool3d` does. */
export class AdaptiveAvgPool3d extends PoolLayer<OutputSize, AdaptivePoolOptions<Layout3d>> {
  /** @param size of the result: one number for all axes, or one for each, null for the own. */
  constructor(size: OutputSize, options: AdaptivePoolOptions<Layout3d> = {}, ...surplus: never[]) {
    super(adaptiveAvgPool, checkAdaptive, "AdaptiveAvgPool3d", size, options, ADAPTIVE, surplus);
  }
}

/** Takes the largest elements of series' windows for a size, as `adaptiveMaxPool1d` does. */
export class AdaptiveMaxPool1d<Indices extends boolean = false> extends PoolLayer<
  OutputSize,
  AdaptiveMaxPoolOptions<Layout1d>,
  Indices extends true ? MaxPooled : Tensor
> {
  /** @param size of the result: one number for all axes, or one for each, null for the own. */
  constructor(
    size: OutputSize,
    options: AdaptiveMaxPoolOptions<Layout1d> & { returnIndices?: Indices } = {},
    ...surplus: never[]
  ) {
    super(
      adaptiveMaxPool,
      checkAdaptive,
      "AdaptiveMaxPool1d",
      size,
      options,
      ADAPTIVE_MAX,
      surplus,
    );
  }
}

/** Takes the largest elements of images' windows for a size, as `adaptiveMaxPool2d` does. */
export class AdaptiveMaxPool2d<Indices extends boolean = false> extends PoolLayer<
  OutputSize,
  AdaptiveMaxPoolOptions,
  Indices extends true ? MaxPooled : Tensor
> {
  /** @param size of the result: one number for all axes, or one for each, null for the own. */
  constructor(
    size: OutputSize,
    options: AdaptiveMaxPoolOptions & { returnIndices?: Indices } = {},
    ...surplus: never[]
  ) {
    super(
      adaptiveMaxPool,
      checkAdaptive,
      "AdaptiveMaxPool2d",
      size,
      options,
      ADAPTIVE_MAX,
      surplus,
    );
  }
}

/** Takes the largest elements of volumes' windows for a size, as `adaptiveMaxPool3d` does. */
export class AdaptiveMaxPool3d<Indices extends boolean = false> extends PoolLayer<
  OutputSize,
  AdaptiveMaxPoolOptions<Layout3d>,
  Indices extends true ? MaxPooled : Tensor
> {
  /** @param size of the result: one number for all axes, or one for each, null for the own. */
  constructor(
    size: OutputSize,
    options: AdaptiveMaxPoolOptions<Layout3d> & { returnIndices?: Indices } = {},
    ...surplus: never[]
  ) {
    super(
      adaptiveMaxPool,
      checkAdaptive,
      "AdaptiveMaxPool3d",
      size,
      options,
      ADAPTIVE_MAX,
      surplus,
    );
  }
}
