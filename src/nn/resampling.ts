import { checkEach, checkOptions, checkSizes, type Known } from "../core/check.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { formatShape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { batchAxes, channelsLast } from "../ops/channels.ts";
import { type ImageOptions, pixelShuffle, pixelUnshuffle } from "../ops/pixel-shuffle.ts";
import { checkMode, type ResizeOptions, resize } from "../ops/resize.ts";
import { forEachAxis, type PerAxis } from "../ops/sliding.ts";
import { Module } from "./module.ts";

/** Options of `Upsample`: one of `size` and `scaleFactor`, and those of `resize`. */
export interface UpsampleOptions extends ResizeOptions {
  /** Pixels of the result: one number for both axes, or `[height, width]`. */
  size?: PerAxis;
  /** How many times as many pixels an axis gets, above 0: one number for both axes, or one for each. */
  scaleFactor?: number | readonly number[];
}

const UPSAMPLE: Known<UpsampleOptions> = {
  size: true,
  scaleFactor: "number",
  mode: "string",
  alignCorners: "boolean",
  layout: "string",
};

/**
 * Makes images of another size, as `resize` does: an input of three axes is one image, and no batch of series
 * as PyTorch takes it.
 * @throws GradusError unless one of `size` and `scaleFactor` is given, and for modes that `resize` lacks; ShapeError, when it is called, where
 * the factor gives no whole number of pixels.
 * @example new Upsample({ scaleFactor: 2, mode: "bilinear" }).call(ones([2, 3, 28, 28])).shape; // [2, 3, 56, 56]
 */
export class Upsample extends Module {
  readonly #size: PerAxis | undefined;
  readonly #scales: readonly number[];
  readonly #options: ResizeOptions;

  constructor(options: UpsampleOptions, ...surplus: never[]) {
    super();
    checkOptions("Upsample", options, UPSAMPLE, surplus);
    const { size, scaleFactor, ...own } = options;
    if ((size === undefined) === (scaleFactor === undefined)) {
      const given = size === undefined ? "neither size nor scaleFactor" : "size and scaleFactor";
      throw new GradusError(`Upsample: ${given}; expected one of them`);
    }
    checkMode("Upsample", own);
    if (own.layout !== undefined) batchAxes("Upsample", 2, own.layout);
    if (size !== undefined) forEachAxis("Upsample", "size", size, [0, 1], 1);
    const scales = [scaleFactor ?? 1].flat();
    const isFactor = (x: unknown) => Number.isFinite(x) && (x as number) > 0;
    const isGood = scales.length <= 2 && scales.length > 0 && scales.every(isFactor);
    checkEach("Upsample", { scaleFactor }, () => isGood, "a number above 0, or one for each axis");
    this.#size = size;
    this.#scales = scales;
    this.#options = own;
  }

  override forward(x: Tensor): Tensor {
    return resize(x, this.#size ?? this.#scaled(x), this.#options);
  }

  #scaled(x: Tensor): readonly number[] {
    const { sizes } = channelsLast("Upsample", x, 2, this.#options.layout);
    const scaled = sizes.map((n, i) => n * (this.#scales[i] ?? this.#scales[0]));
    if (scaled.every(Number.isInteger)) return scaled;
    throw new ShapeError(
      `Upsample: scaleFactor ${quote(this.#scales)} of ${formatShape(x.shape)}; expected a whole ` +
        "number of pixels. Give the size",
    );
  }
}

/** Makes images larger by what their channels hold, as `pixelShuffle` does. */
export class PixelShuffle extends Module {
  readonly #options: ImageOptions;

  /** @param factor r, an integer from 1. */
  constructor(
    readonly factor: number,
    options: ImageOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions<ImageOptions>("PixelShuffle", options, { layout: "string" }, surplus);
    checkSizes("PixelShuffle", { factor });
    this.#options = options;
  }

  override forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.factor, this.#options);
  }
}

/** Takes `PixelShuffle` back, as `pixelUnshuffle` does. */
export class PixelUnshuffle extends Module {
  readonly #options: ImageOptions;

  /** @param factor r, an integer from 1. */
  constructor(
    readonly factor: number,
    options: ImageOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions<ImageOptions>("PixelUnshuffle", options, { layout: "string" }, surplus);
    checkSizes("PixelUnshuffle", { factor });
    this.#options = options;
  }

  override forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.factor, this.#options);
  }
}
